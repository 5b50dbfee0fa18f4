//! What every store must do. A further implementation is added to the macro and gets every case.

mod catalogue;
mod journal;
mod key_value;
mod lease;

macro_rules! conformance {
    ($($area:ident: $($case:ident)*;)*) => {
        mod memory {
            $(mod $area {$(
                #[tokio::test]
                async fn $case() {
                    super::super::$area::$case(&runner_store::MemoryStore::default()).await;
                }
            )*})*
        }

        mod sqlite {
            $(mod $area {$(
                #[tokio::test]
                async fn $case() {
                    let dir = tempfile::tempdir().unwrap();
                    let store = crate::given::sqlite(dir.path()).await;
                    super::super::$area::$case(&store).await;
                    store.verify().await.unwrap();
                    store.close().await;
                }
            )*})*
        }
    };
}

conformance! {
    journal:
        entries_come_back_as_they_were_written
        reading_begins_anywhere
        an_append_with_the_wrong_version_is_refused_and_writes_nothing
        an_append_without_entries_writes_nothing_but_is_checked
        an_id_is_used_once
        a_journal_begins_with_a_request_and_has_no_second
        illegal_moves_are_refused
        values_of_every_depth_that_a_guest_may_return_can_be_read_again
        what_is_not_there_is_not_found;
    lease:
        a_claim_shuts_out_the_former_holder
        a_lease_is_taken_only_when_it_has_ended
        open_executions_whose_lease_ended_are_claimed_longest_overdue_first
        ended_executions_are_not_claimed_as_expired_but_by_id
        renewing_moves_every_lease_of_the_node
        what_is_given_back_is_free_at_once;
    catalogue:
        a_record_follows_its_journal
        lists_are_filtered
        lists_are_paged_from_the_newest
        ids_are_found_by_their_beginning;
    key_value:
        values_are_kept_by_pack_and_key
        what_has_expired_is_not_there
        a_swap_happens_only_if_the_value_is_as_expected
        keys_are_listed_by_prefix_in_order
        what_has_expired_is_swept_oldest_first;
}
