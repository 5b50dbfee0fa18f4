//! A call of an action through the host.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runner_host::{Attempt, Compiling, Component, Connections, Deaf, Host, HostOptions, NoKv, PackContext, World};
use runner_model::{AttemptNumber, ExecutionId, Limits, Outcome, PackRef, Permissions, StepId, SystemClock};
use tokio_util::sync::CancellationToken;

use crate::bare::INPUT;

pub(crate) struct Call {
    host: Host,
    component: Component,
    pack: Arc<PackContext>,
}

impl Call {
    pub(crate) async fn new(wasm: &Arc<[u8]>, directory: &Path) -> Self {
        let host = make(directory);
        let component = host.load(wasm.clone(), World::Action).await.unwrap();
        let pack = PackContext {
            pack: PackRef::new("bench").unwrap(),
            version: "0.1.0".to_owned(),
            permissions: Permissions::default(),
            grant: Permissions::default(),
            current: None,
            config: "{}".to_owned(),
            kv: Arc::new(NoKv),
            connections: Connections::none(&Limits::default()),
        };
        Self { host, component, pack: Arc::new(pack) }
    }

    pub(crate) async fn call(&self) -> Duration {
        let attempt = Attempt {
            execution: ExecutionId::from_bytes([7; 16]),
            step: StepId(0),
            action: "bench.echo".parse().unwrap(),
            function: "echo".to_owned(),
            number: AttemptNumber::FIRST,
            idempotency_key: "key".to_owned(),
            span_key: None,
            input: serde_json::from_str(INPUT).unwrap(),
            timeout: Duration::from_secs(60),
            last_heartbeat: None,
            trace: None,
            cancel: CancellationToken::new(),
            pack: self.pack.clone(),
            observer: Arc::new(Deaf),
        };
        let start = Instant::now();
        let outcome = self.host.run(&self.component, attempt).await;
        let elapsed = start.elapsed();
        assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
        elapsed
    }
}

pub(crate) fn make(directory: &Path) -> Host {
    let options = HostOptions {
        cache_dir: Some(directory.join("cache")),
        compiling: Compiling::Here,
        limits: Limits::default(),
        clock: Arc::new(SystemClock),
    };
    Host::new(options).unwrap()
}
