//! runner-sdk-macros
