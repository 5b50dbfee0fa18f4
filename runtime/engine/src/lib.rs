//! Pure decisions: expressions and the workflow conductor.
