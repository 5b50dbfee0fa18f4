//! Durable truth: the journal, the catalogue of executions, key-value data.
