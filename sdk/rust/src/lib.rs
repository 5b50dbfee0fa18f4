//! runner-sdk
