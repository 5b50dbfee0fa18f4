//! The page about rules, as a reader copies it: every block of YAML is a file, and together they are a pack without mistakes.

use std::collections::BTreeSet;

use runner_engine::rule::Operator;
use runner_pack::{Pack, PolicyKind, Reply, RuleKind, Trigger, WebhookAuth, check};

use crate::kit::{Demo, library};

const PAGE: &str = include_str!("../../../docs/rules.md");

/// The files of the page: the path in the first line of each block, and its text.
pub(crate) fn blocks() -> Vec<(&'static str, &'static str)> {
    let blocks = PAGE.split("```yaml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    blocks.map(|text| (text.lines().next().unwrap().strip_prefix("# ").unwrap(), text)).collect()
}

fn pack() -> std::sync::Arc<Pack> {
    let demo = Demo::new();
    for (path, text) in blocks() {
        assert!(!demo.path().join(path).exists(), "{path} stands twice");
        demo.file(path, text);
    }
    let (pack, report) = check(&demo.path(), &library());
    assert!(report.diagnostics.is_empty(), "{}", report.plain());
    pack.unwrap()
}

#[test]
fn every_file_of_the_page_about_rules_is_accepted() {
    let pack = pack();
    let count = |directory: &str| blocks().iter().filter(|(path, _)| path.starts_with(directory)).count();
    assert_eq!(pack.rules.len(), count("rules/"));
    assert_eq!(pack.sensors.len(), count("sensors/"));
    assert_eq!(pack.policies.len(), count("policies/"));
    assert!(pack.rules.len() > 15 && !pack.sensors.is_empty() && pack.policies.len() == 3);
}

#[test]
fn the_page_shows_every_operator_trigger_and_setting() {
    let pack = pack();
    let used: BTreeSet<_> =
        pack.rules["operators"].plan.criteria.iter().map(|criterion| criterion.operator().as_str()).collect();
    assert_eq!(used, Operator::ALL.iter().map(|operator| operator.as_str()).collect());
    for operator in Operator::ALL {
        for name in operator.names() {
            assert!(PAGE.contains(&format!("`{name}`")), "{name} is not on the page");
        }
    }
    let triggers: BTreeSet<_> = pack.rules.values().map(|rule| rule.trigger.reference().to_string()).collect();
    let all = [
        "core.cron",
        "core.date",
        "core.execution_finished",
        "core.interval",
        "core.webhook",
        "demo.volume_nearly_full",
    ];
    assert_eq!(triggers, all.map(str::to_owned).into());
    assert!(pack.rules.values().any(|rule| rule.kind == RuleKind::Backstop));
    assert!(pack.rules.values().any(|rule| rule.plan.once.is_some()));
    let webhooks = || {
        pack.rules.values().filter_map(|rule| match &rule.trigger {
            Trigger::Webhook(webhook) => Some(webhook),
            _ => None,
        })
    };
    let replies: BTreeSet<_> = webhooks()
        .map(|webhook| match webhook.reply {
            Reply::Accepted => "accepted",
            Reply::Custom { .. } => "custom",
            Reply::Wait { .. } => "wait",
        })
        .collect();
    assert_eq!(replies.len(), 3);
    for auth in [WebhookAuth::Key, WebhookAuth::None] {
        assert!(webhooks().any(|webhook| webhook.auth == auth), "{auth:?}");
    }
    assert!(webhooks().any(|webhook| matches!(webhook.auth, WebhookAuth::Signature { .. })));
    assert!(pack.policies.values().any(|policy| matches!(policy.kind, PolicyKind::Rate { burst: 20, .. })));
}
