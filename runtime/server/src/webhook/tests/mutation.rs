//! Ten thousand changes to deliveries that are valid: none is taken, and without the change each is.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use runner_model::{Entropy as _, SeededEntropy};
use runner_pack::{Algorithm, Encoding, Scheme};
use sha2::Sha256;

use super::Sent;

const NOW: i64 = 1_795_257_960;
const MUTATIONS: u64 = 10_000;

struct Chance(SeededEntropy);

impl Chance {
    fn below(&self, end: usize) -> usize {
        let bytes = self.0.ten_bytes();
        usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap()) % end.max(1) as u64).unwrap()
    }

    fn word(&self) -> String {
        hex::encode(self.0.ten_bytes())
    }
}

fn schemes() -> [Scheme; 6] {
    let plain = |encoding| Scheme::Plain {
        header: "X-Signature".to_owned(),
        prefix: "sha256=".to_owned(),
        encoding,
        algorithm: Algorithm::Sha256,
    };
    [
        Scheme::GitHub,
        Scheme::Stripe,
        Scheme::StandardWebhooks,
        Scheme::Slack,
        plain(Encoding::Hex),
        plain(Encoding::Base64),
    ]
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// A delivery as its sender makes it, signed at `time`; the first of its headers is the signature.
fn signed(scheme: &Scheme, secret: &str, time: i64, id: &str, body: &[u8]) -> Sent {
    let (time, text) = (time.to_string(), |before: String| [before.as_bytes(), body].concat());
    let key = secret.as_bytes();
    let headers = match scheme {
        Scheme::GitHub => {
            vec![
                ("X-Hub-Signature-256", format!("sha256={}", hex::encode(mac(key, body)))),
                ("X-GitHub-Delivery", id.to_owned()),
            ]
        }
        Scheme::Stripe => {
            let signature = hex::encode(mac(key, &text(format!("{time}."))));
            vec![("Stripe-Signature", format!("t={time},v1={signature}"))]
        }
        Scheme::StandardWebhooks => {
            let key = BASE64_STANDARD.decode(&secret["whsec_".len()..]).unwrap();
            let signature = BASE64_STANDARD.encode(mac(&key, &text(format!("{id}.{time}."))));
            vec![
                ("webhook-signature", format!("v1,{signature}")),
                ("webhook-id", id.to_owned()),
                ("webhook-timestamp", time),
            ]
        }
        Scheme::Slack => {
            let signature = hex::encode(mac(key, &text(format!("v0:{time}:"))));
            vec![("X-Slack-Signature", format!("v0={signature}")), ("X-Slack-Request-Timestamp", time)]
        }
        Scheme::Plain { header, prefix, encoding, .. } => {
            let made = mac(key, body);
            let signature = if *encoding == Encoding::Hex { hex::encode(made) } else { BASE64_STANDARD.encode(made) };
            vec![(header.as_str(), format!("{prefix}{signature}"))]
        }
    };
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Sent::new(&headers, body)
}

/// Where the signature itself begins in its header.
fn begin(value: &str) -> usize {
    ["v1=", "v0=", "v1,", "sha256="].iter().filter_map(|mark| Some(value.find(mark)? + mark.len())).max().unwrap()
}

const KINDS: usize = 18;

/// Changes what came in one way; says what it did, none if this way changes nothing here.
fn mutate(chance: &Chance, kind: usize, sent: &mut Sent, scheme: &Scheme, other: &Sent) -> Option<&'static str> {
    let header = sent.headers[0].1.clone();
    let (head, signature) = header.split_at(begin(&header));
    let set = |sent: &mut Sent, value: String| sent.headers[0].1 = value;
    Some(match kind {
        0 => {
            let at = chance.below(sent.body.len());
            sent.body[at] ^= 1 << chance.below(8);
            "a bit of the body"
        }
        1 => {
            sent.body.insert(chance.below(sent.body.len() + 1), b' ');
            "a space in the body"
        }
        2 => {
            sent.body.truncate(chance.below(sent.body.len()));
            "a shorter body"
        }
        3 => {
            sent.body.clone_from(&other.body);
            "another delivery's body"
        }
        4 => {
            set(sent, format!("{head}{}", &signature[..chance.below(signature.len())]));
            "a shorter signature"
        }
        5 => {
            set(sent, format!("{header}{}", ["0", "00", "=", " ", "\t", "A"][chance.below(6)]));
            "a longer signature"
        }
        6 => {
            let at = chance.below(signature.len());
            let changed = if signature.as_bytes()[at] == b'3' { "4" } else { "3" };
            set(sent, format!("{head}{}{changed}{}", &signature[..at], &signature[at + 1..]));
            "a digit of the signature"
        }
        7 => {
            let upper = signature.to_uppercase();
            if upper == signature || matches!(scheme, Scheme::Plain { encoding: Encoding::Hex, .. }) {
                return None;
            }
            set(sent, format!("{head}{upper}"));
            "the signature in capitals"
        }
        8 => {
            let changed =
                [signature.to_owned(), format!("{head}{header}"), header.to_uppercase(), format!(" {header}x")];
            set(sent, changed[chance.below(4)].clone());
            "another prefix"
        }
        9 => {
            let bytes = hex::decode(signature).or_else(|_| BASE64_STANDARD.decode(signature)).unwrap();
            let was_hex = hex::decode(signature).is_ok();
            let changed = if was_hex { BASE64_STANDARD.encode(&bytes) } else { hex::encode(&bytes) };
            let changed = [changed, BASE64_URL_SAFE_NO_PAD.encode(bytes)];
            set(sent, format!("{head}{}", changed[chance.below(2)]));
            "another encoding"
        }
        10 => {
            set(sent, other.headers[0].1.clone());
            "another delivery's signature"
        }
        11 => {
            let at = chance.below(sent.headers.len());
            // GitHub's id is not signed and need not be there.
            if matches!(scheme, Scheme::GitHub) && at == 1 {
                return None;
            }
            sent.headers.remove(at);
            "a header is missing"
        }
        12 => {
            sent.headers.push(sent.headers[chance.below(sent.headers.len())].clone());
            "a header stands twice"
        }
        13 => {
            set(sent, format!("{head}{}", hex::encode(chance.word())));
            "a signature out of the air"
        }
        14 => {
            let at = sent.headers.iter().position(|(name, _)| name == "webhook-id")?;
            sent.headers[at].1 =
                [chance.word(), String::new(), format!("{}.1", sent.headers[at].1)][chance.below(3)].clone();
            "another id"
        }
        15 => return time(chance, sent),
        16 => {
            if sent.headers.len() < 2 || matches!(scheme, Scheme::GitHub) {
                return None;
            }
            let at = 1 + chance.below(sent.headers.len() - 1);
            let (one, two) = (sent.headers[0].1.clone(), sent.headers[at].1.clone());
            (sent.headers[0].1, sent.headers[at].1) = (two, one);
            "headers in another order"
        }
        _ => {
            sent.body.clear();
            set(sent, head.to_owned());
            "nothing at all"
        }
    })
}

/// Another time than the one that was signed, or the same one written otherwise.
fn time(chance: &Chance, sent: &mut Sent) -> Option<&'static str> {
    let (header, from, to) = sent.headers.iter().enumerate().find_map(|(at, (name, value))| match name.as_str() {
        "Stripe-Signature" => Some((at, 2, value.find(',')?)),
        "webhook-timestamp" | "X-Slack-Request-Timestamp" => Some((at, 0, value.len())),
        _ => None,
    })?;
    let value = &sent.headers[header].1;
    let signed: i64 = value[from..to].parse().unwrap();
    let away = i64::try_from(chance.below(200)).unwrap() + 1;
    let changed = [
        format!("{}", signed + away),
        format!("{}", signed - away),
        format!("0{signed}"),
        format!("+{signed}"),
        format!(" {signed}"),
        format!("{signed}.0"),
        format!("{signed}000"),
        String::new(),
    ];
    let changed = format!("{}{}{}", &value[..from], changed[chance.below(8)], &value[to..]);
    sent.headers[header].1 = changed;
    Some("another time")
}

fn secret(scheme: &Scheme, chance: &Chance) -> String {
    match scheme {
        Scheme::StandardWebhooks => format!("whsec_{}", BASE64_STANDARD.encode(chance.word())),
        _ => chance.word(),
    }
}

fn body(chance: &Chance) -> Vec<u8> {
    let filler = "x".repeat(chance.below(200));
    format!(r#"{{"id": "{}", "event_id": "{}", "text": "{filler}"}}"#, chance.word(), chance.word()).into_bytes()
}

#[test]
fn ten_thousand_changed_deliveries_are_refused_and_unchanged_each_is_taken() {
    let chance = Chance(SeededEntropy::new(20));
    let (mut made, mut ways) = (0, std::collections::BTreeMap::<_, u64>::new());
    for round in 0.. {
        if made == MUTATIONS {
            break;
        }
        let scheme = &schemes()[round % 6];
        let (own, next, foreign) = (secret(scheme, &chance), secret(scheme, &chance), secret(scheme, &chance));
        let time = NOW - 300 + i64::try_from(chance.below(601)).unwrap();
        let mut sent = signed(scheme, &own, time, &chance.word(), &body(&chance));
        let other = signed(scheme, &own, time, &chance.word(), &body(&chance));
        let shift = chance.below(sent.headers.len());
        let mut valid = sent.clone();
        valid.headers.rotate_left(shift);
        let taken = valid.check(scheme, &[&next, &own], NOW);
        assert!(taken.is_ok(), "{scheme:?} {valid:?}: {taken:?}");

        assert!(valid.check(scheme, &[&foreign, &next], NOW).is_err(), "another endpoint's secret");
        let Some(what) = mutate(&chance, round / 6 % KINDS, &mut sent, scheme, &other) else { continue };
        made += 1;
        *ways.entry(what).or_default() += 1;
        // What no HTTP server lets in is refused too.
        if sent.map().is_some() {
            let result = sent.check(scheme, &[&next, &own], NOW);
            assert!(result.is_err(), "{what} was taken: {scheme:?} {sent:?}");
        }
    }
    assert!(ways.len() >= 17 && ways.values().all(|count| *count > 100), "{ways:?}");
}
