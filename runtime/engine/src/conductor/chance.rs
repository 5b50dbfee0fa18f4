//! Chance that comes out the same at every replay: drawn from the execution's id and the attempt it is for.

use runner_model::{AttemptNumber, ExecutionId};
use sha2::{Digest as _, Sha256};

use super::step::UnitId;

/// A number from 0 up to 1.
pub(super) fn share(execution: ExecutionId, unit: UnitId, attempt: AttemptNumber) -> f64 {
    let mut hash = Sha256::new();
    hash.update(execution.as_bytes());
    hash.update(unit.step.0.to_be_bytes());
    hash.update(unit.item.map_or(u64::MAX, |item| u64::from(item.0)).to_be_bytes());
    hash.update(attempt.0.to_be_bytes());
    let bytes = hash.finalize();
    let first = bytes.iter().take(4).fold(0_u32, |number, byte| (number << 8) | u32::from(*byte));
    f64::from(first) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use runner_model::StepId;

    use super::*;

    #[test]
    fn chance_differs_between_attempts_and_not_between_replays() {
        let unit = UnitId { step: StepId(1), item: None };
        let draw = |attempt| share(ExecutionId::from_bytes([7; 16]), unit, AttemptNumber(attempt));
        let draws: Vec<_> = (1..1000).map(draw).collect();
        assert_eq!(draws, (1..1000).map(draw).collect::<Vec<_>>());
        assert!(draws.iter().all(|share| (0.0..1.0).contains(share)));
        let mean = draws.iter().sum::<f64>() / 999.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }
}
