//! The plan, as it is handed to the next svscan: see [`common::takeover`].

use super::service::{Service, State};
use super::{Identity, Plan, Post, Role};
use alloc::ffi::CString;
use common::takeover::state::{Malformed, Reader, Tag, Writer};

// In a service's record. Tags are never used again: the next one is 8.
const DEVICE: Tag = 1;
const INODE: Tag = 2;
const NAME: Tag = 3;
const LISTED: Tag = 4;
const OWN: Tag = 5;
const SERVICE: Tag = 6;
const LOGGER: Tag = 7;

// In a supervise's record.
const STATE: Tag = 1;
const TIME: Tag = 2;
const PID: Tag = 3;

const DUE: u64 = 0;
const RUNNING: u64 = 1;
const RESTING: u64 = 2;
const BUSY: u64 = 3;

impl Plan {
    /// Adds a record `tag` for each known service. `also` adds to it what others know of the service, with tags of 64 and
    /// more. (Directories that were just being made are taken for complete: it is a moment later then.)
    pub fn save<'fd>(
        &self,
        state: &mut Writer<'fd>,
        tag: Tag,
        mut also: impl FnMut(Identity, &mut Writer<'fd>),
    ) {
        for (id, service) in &self.services {
            state.record(tag, |record| {
                record.number(DEVICE, id.device);
                record.number(INODE, id.inode);
                record.bytes(NAME, service.name.to_bytes());
                record.number(LISTED, service.listed.into());
                record.number(OWN, service.own.into());
                for (tag, supervise) in [(SERVICE, service.service), (LOGGER, service.logger)] {
                    if let Some(supervise) = supervise {
                        record.record(tag, |record| supervise.save(record));
                    }
                }
                also(*id, record);
            });
        }
    }

    /// Takes in one such record, and gives whose it is.
    ///
    /// # Errors
    /// It says what no svscan of ours would have said.
    pub fn restore(&mut self, record: Reader<'_>) -> Result<Identity, Malformed> {
        let device = record.number(DEVICE)?.ok_or(Malformed)?;
        let inode = record.number(INODE)?.ok_or(Malformed)?;
        let id = Identity { device, inode };
        let name = record.bytes(NAME).ok_or(Malformed)?;
        let supervise = |tag| record.records(tag).next().map(|r| State::restore(r?)).transpose();
        let service = Service {
            name: CString::new(name).map_err(|_| Malformed)?,
            listed: record.number(LISTED)? == Some(1),
            own: record.number(OWN)? == Some(1),
            service: supervise(SERVICE)?,
            logger: supervise(LOGGER)?,
        };
        for (role, supervise) in [(Role::Service, service.service), (Role::Logger, service.logger)]
        {
            if let Some(State::Running { pid, .. }) = supervise {
                self.running.insert(pid, Post { id, role });
            }
        }
        self.services.insert(id, service);
        Ok(id)
    }
}

impl State {
    fn save(self, record: &mut Writer<'_>) {
        match self {
            Self::Due { at } => {
                record.number(STATE, DUE);
                record.time(TIME, at);
            }
            Self::Running { since, pid } => {
                record.number(STATE, RUNNING);
                record.time(TIME, since);
                record.number(PID, u64::from(pid.unsigned_abs()));
            }
            Self::Resting => record.number(STATE, RESTING),
            Self::Busy => record.number(STATE, BUSY),
        }
    }

    fn restore(record: Reader<'_>) -> Result<Self, Malformed> {
        let time = record.time(TIME)?.unwrap_or_default();
        match record.number(STATE)?.ok_or(Malformed)? {
            DUE => Ok(Self::Due { at: time }),
            RUNNING => {
                let pid = record.number(PID)?.ok_or(Malformed)?;
                let pid = i32::try_from(pid).ok().filter(|pid| *pid > 0).ok_or(Malformed)?;
                Ok(Self::Running { since: time, pid })
            }
            RESTING => Ok(Self::Resting),
            BUSY => Ok(Self::Busy),
            _ => Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Listed, Scan};
    use core::time::Duration;
    use proptest::prelude::*;

    fn restored(bytes: &[u8]) -> Result<Plan, Malformed> {
        let mut plan = Plan::default();
        for record in Reader::new(bytes)?.records(1) {
            plan.restore(record?)?;
        }
        Ok(plan)
    }

    fn saved(plan: &Plan) -> Vec<u8> {
        let mut state = Writer::default();
        plan.save(&mut state, 1, |id, record| record.number(64, id.inode));
        state.as_bytes().to_vec()
    }

    #[test]
    fn what_is_saved_is_restored() {
        let now = Duration::new(100, 7);
        let id = |inode| Identity { device: 3, inode };
        let entry = |inode: u64| Listed {
            name: CString::new(format!("s{inode}")).expect("no NUL"),
            id: id(inode),
            log: inode > 1,
        };
        let mut plan = Plan::default();
        plan.take_in(Scan::Regular, (1..5).map(entry).collect(), now);
        plan.add_own(c".log".into(), id(9), now);
        let due = plan.due(now, 4);
        plan.started(due[0], 77, now);
        plan.started(due[1], 78, now);
        plan.failed(due[2]);
        plan.busy(due[3]);
        plan.vanished(due[3]);
        let mut again = restored(&saved(&plan)).expect("whole");
        assert_eq!(format!("{:?}", again.services), format!("{:?}", plan.services));
        assert_eq!(again.running, plan.running);
        assert_eq!(again.ended(78, false, now), Some(due[1]));
    }

    proptest! {
        #[test]
        fn no_bytes_upset_it(bytes in proptest::collection::vec(any::<u8>(), 0..60), cut in 0usize..200, with in any::<u8>()) {
            let _ = restored(&bytes);
            let mut plan = Plan::default();
            plan.add_own(c"x".into(), Identity { device: 1, inode: 2 }, Duration::ZERO);
            let mut whole = saved(&plan);
            let length = whole.len();
            whole[cut % length] = with;
            let _ = restored(&whole);
            let _ = restored(&whole[..cut.min(length)]);
        }
    }
}
