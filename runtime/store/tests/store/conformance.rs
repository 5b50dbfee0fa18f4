//! What every store must do. A further implementation is added to the macro and gets every case.

mod access;
mod audit;
mod catalogue;
mod events;
mod grants;
mod journal;
mod key_value;
mod lease;
mod sealed;
mod secrets;
mod upkeep;
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
    grants:
        a_grant_takes_the_place_of_the_one_before
        a_grant_is_taken_back_once;
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
    sealed:
        what_is_sealed_comes_back_as_it_was_written
        an_append_must_say_whether_the_execution_is_sealed
        what_waits_in_a_sealed_execution_is_found_by_its_key
        a_sealed_event_comes_back_with_what_became_of_it;
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
        lists_are_paged_from_the_oldest_too
        what_rules_started_is_found_by_rule_and_event
        executions_are_counted
        the_executions_that_steps_start_are_found_by_their_parent
        each_version_of_a_pack_that_executions_began_with_is_told_once
        ids_are_found_by_their_beginning;
    waits:
        a_wait_is_there_until_it_is_answered
        items_wait_for_themselves
        a_new_wait_of_a_step_takes_the_place_of_the_former
        the_end_of_an_attempt_or_of_the_execution_ends_waits
        waits_are_found_by_the_key_of_their_event
        waits_are_listed_oldest_execution_first;
    events:
        an_event_comes_back_as_it_was_recorded
        the_same_delivery_is_recorded_once
        events_without_a_key_are_all_different
        an_event_that_is_recorded_once_more_is_known
        large_payloads_and_parameters_come_back_as_they_were
        an_event_that_cannot_be_read_again_is_refused_with_everything_beside_it
        a_rule_matches_an_event_once
        a_key_of_a_rule_holds_back_its_next_match_until_it_expires
        what_is_known_takes_no_key
        a_match_is_settled_once
        what_is_open_is_listed_oldest_first
        events_are_filtered
        events_are_found_by_their_time
        events_are_paged_from_the_newest
        marks_move_with_the_events
        the_end_of_an_execution_is_announced_until_it_is_dealt_with
        an_end_is_announced_only_if_it_is_asked_for_and_happens;
    access:
        a_key_is_found_by_its_digest
        an_id_and_a_digest_are_used_once
        a_key_that_was_taken_back_stays_taken_back
        the_use_of_a_key_is_noted_to_the_minute
        a_request_is_reserved_once_until_it_expires
        rules_are_switched_and_go_back_to_their_files;
    audit:
        every_change_is_logged_with_who_made_it
        what_changes_nothing_is_not_logged
        entries_follow_from_one_another
        entries_are_filtered_and_paged_from_both_ends
        details_that_are_too_long_are_left_out_and_not_the_deed
        the_log_is_not_pruned;
    secrets:
        a_secret_has_a_version_that_only_grows
        only_the_next_version_is_kept
        a_value_comes_back_and_the_one_before_is_gone
        what_must_be_there_and_is_not_is_refused
        secrets_are_sealed_with_the_new_key_and_keep_their_versions
        each_change_of_a_secret_is_logged_and_never_its_value;
    upkeep:
        what_ended_long_ago_goes_and_what_is_open_stays
        what_a_step_started_goes_with_the_outermost
        an_open_part_keeps_the_whole
        an_end_that_was_not_dealt_with_keeps_its_execution
        an_execution_that_would_be_made_again_stays
        the_oldest_go_when_there_are_too_many
        no_more_go_at_once_than_asked_for
        old_events_go_unless_something_is_left_to_do
        what_has_expired_goes
        nothing_goes_that_is_not_to_go
        a_version_of_a_pack_goes_with_its_last_execution;
    key_value:
        values_are_kept_by_pack_and_key
        what_has_expired_is_not_there
        a_swap_happens_only_if_the_value_is_as_expected
        keys_are_listed_by_prefix_in_order
        what_has_expired_is_swept_oldest_first;
}
