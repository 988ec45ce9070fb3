//! What a supervise that can't be reached means, for whoever is asked at three in the morning.

use crate::look::Problem;
use supervise::client::StatusError;
use sys::Errno;

/// Who would start a supervise.
pub(crate) const STARTED_BY: &str = "svscan starts one for each directory that is linked into its \
    scan directory; by hand: supervise DIRECTORY &";

/// What a problem means; `None` where the problem says it itself.
pub(crate) fn meaning(problem: Problem) -> Option<&'static str> {
    match problem {
        Problem::NotRunning => Some(
            "no supervise runs here now, though one has: it was told to exit (svc -x) or was killed; \
             the service may still run, but nobody watches it",
        ),
        Problem::Ok(Errno::NOENT) => {
            Some("no supervise has ever run here: nobody starts the service or watches it")
        }
        Problem::Status(StatusError::Open(Errno::NOENT)) => {
            Some("a supervise has only just started, or could not write (a full disk?)")
        }
        Problem::Ok(Errno::ACCESS) | Problem::Status(StatusError::Open(Errno::ACCESS)) => {
            Some("only the owner of the directory supervise (root, mostly) may look")
        }
        Problem::Enter(_)
        | Problem::Down(_)
        | Problem::Path(_)
        | Problem::Ok(_)
        | Problem::Status(_) => None,
    }
}

/// Whether the problem is that a supervise is missing.
pub(crate) fn is_missing(problem: Problem) -> bool {
    match problem {
        Problem::NotRunning | Problem::Ok(Errno::NOENT) => true,
        Problem::Enter(_)
        | Problem::Down(_)
        | Problem::Path(_)
        | Problem::Ok(_)
        | Problem::Status(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_supervise_is_explained() {
        for problem in [Problem::NotRunning, Problem::Ok(Errno::NOENT)] {
            assert!(
                is_missing(problem) && meaning(problem).is_some_and(|m| m.contains("supervise"))
            );
        }
        for problem in [Problem::Enter(Errno::NOENT), Problem::Ok(Errno::ISDIR)] {
            assert!(!is_missing(problem) && meaning(problem).is_none());
        }
    }
}
