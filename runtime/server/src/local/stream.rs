//! How one process reaches another: a Unix socket, or a port of the loopback with a secret.

use std::io::{self, Write as _};
use std::net::Ipv4Addr;

use runner_model::{Entropy, NodeId};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

use super::{Nodes, Seat};

/// The longest path of a Unix socket in bytes, its end included: 104 on BSD and macOS, 108 on Linux.
#[cfg(unix)]
const SOCKET_PATH_BYTES_MAX: usize = 103;

/// Bytes in both directions.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A conversation with another process, and the secret that has to go with every request if the way is open to others.
pub(crate) struct Stream {
    pub(crate) bytes: Box<dyn Duplex>,
    pub(crate) secret: Option<String>,
}

/// Where other processes come in.
pub(crate) enum Listener {
    #[cfg(unix)]
    Unix {
        listener: UnixListener,
        user: u32,
    },
    Loopback {
        listener: TcpListener,
        secret: String,
    },
}

impl Listener {
    /// Listens at the place of this process.
    pub(crate) async fn bind(seat: &Seat, entropy: &dyn Entropy) -> io::Result<Self> {
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt as _;
            use std::os::unix::fs::MetadataExt as _;
            let path = seat.nodes().socket(seat.node());
            if path.as_os_str().as_bytes().len() <= SOCKET_PATH_BYTES_MAX {
                let listener = UnixListener::bind(&path)?;
                return Ok(Self::Unix { listener, user: std::fs::metadata(&path)?.uid() });
            }
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let random = [entropy.ten_bytes(), entropy.ten_bytes()].concat();
        let secret: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        write_port(seat, listener.local_addr()?.port(), &secret)?;
        Ok(Self::Loopback { listener, secret })
    }

    /// The next one who comes in.
    pub(crate) async fn accept(&self) -> io::Result<Stream> {
        match self {
            #[cfg(unix)]
            Self::Unix { listener, user } => {
                let (stream, _) = listener.accept().await?;
                // The directory keeps others out already, if the file system knows of permissions.
                let peer = stream.peer_cred()?.uid();
                if peer != *user && peer != 0 {
                    return Err(io::Error::new(io::ErrorKind::PermissionDenied, "another user"));
                }
                Ok(Stream { bytes: Box::new(stream), secret: None })
            }
            Self::Loopback { listener, secret } => {
                let (stream, _) = listener.accept().await?;
                Ok(Stream { bytes: Box::new(stream), secret: Some(secret.clone()) })
            }
        }
    }
}

/// Written whole before it is there, and readable by its owner only.
fn write_port(seat: &Seat, port: u16, secret: &str) -> io::Result<()> {
    let path = seat.nodes().port(seat.node());
    let draft = path.with_extension("draft");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&draft)?.write_all(format!("{port} {secret}").as_bytes())?;
    std::fs::rename(draft, path)
}

/// Reaches another process.
pub(crate) async fn connect(nodes: &Nodes, node: &NodeId) -> io::Result<Stream> {
    #[cfg(unix)]
    {
        let path = nodes.socket(node);
        if path.exists() {
            return Ok(Stream { bytes: Box::new(UnixStream::connect(path).await?), secret: None });
        }
    }
    let text = tokio::fs::read_to_string(nodes.port(node)).await?;
    let unreadable = || io::Error::new(io::ErrorKind::InvalidData, "the file of its port cannot be read");
    let (port, secret) = text.split_once(' ').ok_or_else(unreadable)?;
    let port: u16 = port.parse().map_err(|_| unreadable())?;
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    Ok(Stream { bytes: Box::new(stream), secret: Some(secret.to_owned()) })
}
