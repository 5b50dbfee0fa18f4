//! What every store must do. A further implementation is added to the macro and gets every case.

mod catalogue;
mod journal;
mod key_value;
mod lease;
mod waits;

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
        large_values_come_back_as_they_were_written
        values_around_the_limit_come_back_as_they_were_written
        values_of_every_depth_that_a_guest_may_return_can_be_read_again
        what_is_not_there_is_not_found;
    lease:
        a_claim_shuts_out_the_former_holder
        a_lease_is_taken_only_when_it_has_ended
        open_executions_that_nobody_holds_are_claimed_owner_by_owner
        a_node_whose_own_lease_is_over_claims_none
        ended_executions_are_not_claimed_as_open_but_by_id
        renewing_moves_the_lease_of_everything_that_a_node_owns
        whoever_is_known_to_be_dead_holds_nothing
        a_longer_lease_is_not_made_shorter_by_a_claim
        what_is_given_back_is_free_at_once
        what_is_parked_says_when_it_is_to_be_woken
        what_has_gone_on_is_not_parked_any_more
        whatever_is_appended_unparks
        the_end_of_a_child_unparks_its_parent;
    catalogue:
        a_record_follows_its_journal
        lists_are_filtered
        lists_are_paged_from_the_newest
        the_executions_that_steps_start_are_found_by_their_parent
        ids_are_found_by_their_beginning;
    waits:
        a_wait_is_there_until_it_is_answered
        items_wait_for_themselves
        a_new_wait_of_a_step_takes_the_place_of_the_former
        the_end_of_an_attempt_or_of_the_execution_ends_waits
        waits_are_found_by_the_key_of_their_event
        waits_are_listed_oldest_execution_first;
    key_value:
        values_are_kept_by_pack_and_key
        what_has_expired_is_not_there
        a_swap_happens_only_if_the_value_is_as_expected
        keys_are_listed_by_prefix_in_order
        what_has_expired_is_swept_oldest_first;
}
