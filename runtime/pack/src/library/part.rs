//! A part of the packs: what one action can need, so that the time to run it does not grow with the packs beside it.
//!
//! Read whole are the pack, the packs that it names (in calls, rules, policies and dependencies), those that these name,
//! and those with policies, which may be about actions of others. Of all others only `pack.yaml` is read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Found, Library};
use crate::diagnostic::Report;
use crate::draft::Draft;

impl Library {
    /// As [`Library::load`], but with the packs only that the actions of `pack` can need; of the others there is what
    /// [`Library::manifests`] gives. What is wrong with those is not in the report, and neither is that rules of several
    /// packs are at odds about a webhook.
    #[must_use]
    pub fn load_part(dirs: &[PathBuf], config_dir: Option<&Path>, pack: &str) -> (Self, Report) {
        let found = Found::gather(dirs, Draft::glance);
        let mut drafts = found.drafts;
        let mut named: BTreeSet<String> = BTreeSet::from([pack.to_owned()]);
        let mut read = BTreeSet::new();
        loop {
            let is_next = |(at, draft): &(usize, &Draft)| {
                !read.contains(at) && (draft.has_policies() || draft.names().any(|name| named.contains(name)))
            };
            let Some((at, path)) =
                drafts.iter().enumerate().find(is_next).map(|(at, draft)| (at, draft.directory.clone()))
            else {
                break;
            };
            read.insert(at);
            let draft = Draft::read(&path, config_dir);
            named.extend(draft.named_packs());
            if let Some(place) = drafts.get_mut(at) {
                *place = draft;
            }
        }
        let is_read = |at: usize| read.contains(&at);
        super::refuse_doubles(&drafts);
        Self::linked(drafts, found.report, is_read)
    }

    fn linked(drafts: Vec<Draft>, mut report: Report, is_read: impl Fn(usize) -> bool) -> (Self, Report) {
        let known = super::introduce(&drafts);
        let versions = drafts.iter().filter_map(Draft::version).collect();
        let mut library = Self::default();
        for (at, draft) in drafts.into_iter().enumerate() {
            if is_read(at) {
                draft.link(&known, &versions);
                report.append(library.take(draft, Draft::finish));
            } else {
                library.glanced.extend(draft.into_manifest());
            }
        }
        (library, report)
    }
}
