//! What a rule's conditions look at. What expressions see is put together for the first of them: most rules have none.

use std::cell::OnceCell;

use runner_model::Timestamp;

use super::{Occasion, frame};
use crate::expression::Frame;

pub(super) struct View<'a> {
    occasion: &'a Occasion,
    frame: OnceCell<Frame>,
}

impl<'a> View<'a> {
    pub(super) const fn of(occasion: &'a Occasion) -> Self {
        Self { occasion, frame: OnceCell::new() }
    }

    pub(super) const fn now(&self) -> Timestamp {
        self.occasion.now
    }

    pub(super) fn frame(&self) -> &Frame {
        self.frame.get_or_init(|| frame(self.occasion))
    }
}
