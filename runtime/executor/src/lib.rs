//! Drives executions: engine, host and store joined.
