//! The upgrade in place: what a supervise hands to the program that goes on in its process, and how
//! that begins. The mechanics are in [`common::takeover`].

use super::begin::listen;
use super::execute::warn;
use super::{NAME, Supervise};
use crate::detail::{self, Detail, Failure as Why};
use crate::directory::{Directory, Inheritance};
use crate::logger::Logger;
use crate::logpipe::LogPipe;
use crate::machine::{Machine, Phase, Script};
use crate::options::Options;
use crate::pace::Pace;
use crate::part::Part;
use crate::place::{File, Place};
use crate::record::Record;
use crate::scripts::{Role, Scripts};
use crate::service::{Bond, Process, Whom};
use crate::status::{self, Status};
use alloc::boxed::Box;
use common::Failure;
use common::takeover::state::{Malformed, Reader, Tag, Writer};
use common::takeover::{Kind, Origin, Received};
use core::time::Duration;
use sys::AsFd;
use sys::process::Pid;

// Of the whole. A tag is never used again for anything else: see common::takeover::state.
const PLACE: Tag = 1;
const LOCK: Tag = 2;
const CONTROL: Tag = 3;
const CONTROL_WRITER: Tag = 4;
const OK: Tag = 5;
const DETAIL_FILE: Tag = 6;
const PIPE_READER: Tag = 7;
const PIPE_WRITER: Tag = 8;
const SERVICE: Tag = 9;
const LOG: Tag = 10;
const LOGGER: Tag = 11;
const LEAVING: Tag = 12;
const UNPUBLISHED: Tag = 13;

// Of a part.
const STATUS: Tag = 1;
const DETAIL: Tag = 2;
const PHASE: Tag = 3;
const EXIT: Tag = 4;
const BEGUN: Tag = 5;
const FAILED: Tag = 6;
const LEADS: Tag = 7;
const WATCHED: Tag = 8;
const STARTED: Tag = 9;
const TRIED: Tag = 10;
const DUE: Tag = 11;
const END_BY: Tag = 12;
const DRAINING: Tag = 13;
const RESTARTS_ITSELF: Tag = 14;
const READINESS: Tag = 15;
const STREAK: Tag = 16;
const DEATH: Tag = 17;
const ASKED_TO_END: Tag = 18;

// Of a logger.
const DIRECTORY: Tag = 1;
const ASKED: Tag = 2;
const LOGGED: Tag = 3;

impl Supervise {
    /// Has the program that is installed now go on. Comes back only if that didn't work.
    #[inline(never)]
    pub(super) fn hand_over(&self) {
        let mut state = Writer::default();
        self.write(&mut state);
        self.origin.hand_over(&state).warn(NAME);
    }

    /// Goes on with what a predecessor has handed over; nothing, if we were only asked whether we could.
    #[inline(never)]
    pub(super) fn take_over(
        name: &'static [u8],
        origin: Origin,
        received: &Received,
    ) -> Result<Option<Box<Self>>, Failure> {
        let mut supervise = Self::read(name, origin, received)
            .map_err(|Malformed| NAME.fatal(111, &[b"unable to take over: malformed state"]))?;
        match received.kind {
            Kind::Check => Ok(None),
            Kind::Take => {
                supervise.go_on();
                Ok(Some(supervise))
            }
        }
    }

    fn write<'a>(&'a self, state: &mut Writer<'a>) {
        state.bytes(PLACE, self.place.directory().to_bytes());
        state.descriptor(LOCK, self.directory.lock().as_fd());
        state.descriptor(CONTROL, self.directory.control().as_fd());
        state.descriptor(CONTROL_WRITER, self.directory.control_writer().as_fd());
        if let Some(ok) = self.directory.ok() {
            state.descriptor(OK, ok.as_fd());
        }
        if let Some(detail) = self.directory.detail() {
            state.descriptor(DETAIL_FILE, detail.as_fd());
        }
        state.record(SERVICE, |state| write_part(&self.service, state));
        if let Some((log, pipe)) = &self.log {
            state.record(LOG, |state| write_part(log, state));
            state.descriptor(PIPE_READER, pipe.reader());
            state.descriptor(PIPE_WRITER, pipe.writer());
        }
        if let Some(logger) = &self.logger {
            state.record(LOGGER, |state| {
                state.descriptor(DIRECTORY, logger.service().as_fd());
                state.bytes(LOGGED, logger.place().directory().to_bytes());
                put_time(state, ASKED, logger.asked());
            });
        }
        put_time(state, LEAVING, self.leaving);
        put_time(state, UNPUBLISHED, self.unpublished);
    }

    fn read(
        name: &'static [u8],
        origin: Origin,
        received: &Received,
    ) -> Result<Box<Self>, Malformed> {
        let state = received.state()?;
        let place = Place::at(state.bytes(PLACE).ok_or(Malformed)?);
        let needed = |tag| state.descriptor(tag)?.ok_or(Malformed);
        let inheritance = Inheritance {
            lock: needed(LOCK)?,
            control: (needed(CONTROL)?, needed(CONTROL_WRITER)?),
            ok: state.descriptor(OK)?,
            detail: state.descriptor(DETAIL_FILE)?,
        };
        let directory = Directory::inherited(name, &place, inheritance).map_err(|_| Malformed)?;
        let service = state.records(SERVICE).next().ok_or(Malformed)??;
        let service = read_part(Role::Service, &service)?;
        let log = match state.records(LOG).next() {
            Some(log) => {
                let pipe = LogPipe::inherited(needed(PIPE_READER)?, needed(PIPE_WRITER)?);
                Some((read_part(Role::Log, &log?)?, pipe))
            }
            None => None,
        };
        let logger = state.records(LOGGER).next().transpose()?;
        let logger = logger.map(|state| {
            let directory = state.descriptor(DIRECTORY)?.ok_or(Malformed)?;
            let place = Place::at(state.bytes(LOGGED).ok_or(Malformed)?);
            Ok(Logger::inherited(directory, place, state.time(ASKED)?))
        });
        Ok(Box::new(Self {
            name,
            mask: origin.mask(),
            scripts: Scripts::new(origin.env(), origin.mask()),
            leaving: state.time(LEAVING)?,
            origin,
            place,
            directory,
            options: Options::default(),
            service,
            log,
            logger: logger.transpose()?,
            whom: Whom::Alone,
            unpublished: state.time(UNPUBLISHED)?,
            upgrade: false,
            is_deaf: false,
            is_replaced: false,
        }))
    }

    /// What is needed besides, now that it is our turn.
    fn go_on(&mut self) {
        self.mask = listen(&self.origin);
        match Options::read(|bad| warn(self.name, &bad)) {
            Ok(options) => self.options = options,
            Err(errno) => NAME.warn_errno(&[b"unable to read ", self.name], errno),
        }
        let log = self.log.as_mut().map(|(log, _)| (log, File::LogProcess));
        for (part, file) in [(&mut self.service, File::Process)].into_iter().chain(log) {
            part.record = Record::reopen(self.place.path(file), part.process.is_some()).ok();
        }
    }
}

fn write_part<'a>(part: &'a Part, state: &mut Writer<'a>) {
    state.bytes(STATUS, &part.status().encode());
    state.bytes(DETAIL, &part.detail().encode());
    state.number(PHASE, phase_number(part.machine.phase()));
    put_flag(state, EXIT, part.machine.exits());
    put_flag(state, BEGUN, part.machine.has_begun());
    if let Some(failure) = part.machine.failed() {
        state.number(FAILED, failure.number().into());
    }
    if let Some(process) = &part.process {
        put_flag(state, LEADS, process.leads());
        match process.bond() {
            Bond::Child => {}
            Bond::Descriptor(descriptor) => state.descriptor(WATCHED, descriptor.as_fd()),
            Bond::Start(start) => state.number(STARTED, *start),
        }
    }
    state.time(TRIED, part.tried);
    state.time(DUE, part.due);
    put_time(state, END_BY, part.end_by);
    put_flag(state, DRAINING, part.draining);
    put_flag(state, RESTARTS_ITSELF, part.restarts_itself);
    put_flag(state, ASKED_TO_END, part.asked);
    if let Some(pipe) = &part.readiness {
        state.descriptor(READINESS, pipe.as_fd());
    }
    state.number(STREAK, part.pace.streak().into());
    part.pace.deaths().iter().for_each(|death| state.time(DEATH, *death));
}

fn read_part(role: Role, state: &Reader<'_>) -> Result<Part, Malformed> {
    let flag = |tag| Ok(state.number(tag)?.is_some_and(|flag| flag != 0));
    let time = |tag| Ok(state.time(tag)?.unwrap_or_default());
    let status: &[u8; status::SIZE] =
        state.bytes(STATUS).and_then(<[u8]>::first_chunk).ok_or(Malformed)?;
    let status = Status::decode(status).ok_or(Malformed)?;
    let detail: &[u8; detail::SIZE] =
        state.bytes(DETAIL).and_then(<[u8]>::first_chunk).ok_or(Malformed)?;
    let detail = Detail::decode(detail).ok_or(Malformed)?;
    let phase = state.number(PHASE)?.and_then(phase_of).ok_or(Malformed)?;
    let failed = match state.number(FAILED)? {
        Some(number) => {
            let number = u8::try_from(number).map_err(|_| Malformed)?;
            Some(Why::from_number(number).ok_or(Malformed)?)
        }
        None => None,
    };
    let machine =
        Machine::adopted(phase, status.want, status.paused).and(flag(EXIT)?, flag(BEGUN)?, failed);
    let mut part = Part::new(role, machine);
    let pid = i32::try_from(status.pid).ok().filter(|pid| *pid > 0).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let bond = match (state.descriptor(WATCHED)?, state.number(STARTED)?) {
            (Some(descriptor), _) => Bond::Descriptor(descriptor),
            (None, Some(start)) => Bond::Start(start),
            (None, None) => Bond::Child,
        };
        part.process = Some(Process::inherited(pid, flag(LEADS)?, bond));
    }
    part.since = status.since;
    part.tried = time(TRIED)?;
    part.due = time(DUE)?;
    part.end_by = state.time(END_BY)?;
    part.draining = flag(DRAINING)?;
    part.restarts_itself = flag(RESTARTS_ITSELF)?;
    part.asked = flag(ASKED_TO_END)?;
    part.readiness = state.descriptor(READINESS)?;
    part.notifies = detail.notifies;
    part.ready = detail.ready;
    part.death = detail.death;
    part.restarts = detail.restarts;
    let streak = state.number(STREAK)?.and_then(|streak| u32::try_from(streak).ok());
    let deaths = state.all(DEATH).map(death).collect::<Result<_, _>>()?;
    part.pace = Pace::new(streak.unwrap_or(0), deaths);
    Ok(part)
}

/// One of a list of moments, which a reader gives as texts.
fn death(bytes: &[u8]) -> Result<Duration, Malformed> {
    let mut whole = [0; 8];
    whole.get_mut(..bytes.len()).ok_or(Malformed)?.copy_from_slice(bytes);
    Ok(Duration::from_nanos(u64::from_le_bytes(whole)))
}

fn put_flag(state: &mut Writer<'_>, tag: Tag, flag: bool) {
    state.number(tag, flag.into());
}

fn put_time(state: &mut Writer<'_>, tag: Tag, time: Option<Duration>) {
    if let Some(time) = time {
        state.time(tag, time);
    }
}

const SCRIPTS: [Script; 4] = [Script::Start, Script::Run, Script::Finish, Script::Stop];

fn phase_number(phase: Phase) -> u64 {
    let script = |script: Script| SCRIPTS.iter().position(|known| *known == script).unwrap_or(0);
    match phase {
        Phase::Down => 0,
        Phase::Started => 1,
        Phase::Waiting(which) => 2 + script(which) as u64,
        Phase::Runs(which) => 6 + script(which) as u64,
    }
}

fn phase_of(number: u64) -> Option<Phase> {
    let waiting = SCRIPTS.into_iter().map(Phase::Waiting);
    let runs = SCRIPTS.into_iter().map(Phase::Runs);
    let all = [Phase::Down, Phase::Started].into_iter().chain(waiting).chain(runs);
    all.into_iter().nth(usize::try_from(number).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detail::{Death, How};
    use crate::status::Want;
    use common::tai64n::Label;
    use proptest::prelude::*;

    #[test]
    fn each_phase_has_a_number_of_its_own() {
        for number in 0..10 {
            assert_eq!(phase_of(number).map(phase_number), Some(number));
        }
        assert_eq!(phase_of(10), None);
    }

    fn read_back(part: &Part) -> Part {
        let mut state = Writer::default();
        write_part(part, &mut state);
        let reader = Reader::new(state.as_bytes()).expect("whole");
        read_part(part.role, &reader).expect("well-formed")
    }

    fn time() -> impl Strategy<Value = Duration> {
        // The detail shows them as labels of the host's clock, which have an end.
        (0..1_u64 << 50).prop_map(Duration::from_nanos)
    }

    prop_compose! {
        fn parts()(
            number in 0..10_u64, want in 0..3_usize, flags: [bool; 8], failed in 0..5_u8,
            pid in proptest::option::of(1..i32::MAX), start: u64, code: u8,
            times in [time(), time(), time()], streak: u32,
            deaths in proptest::collection::vec(time(), 0..5),
        ) -> Part {
            let phase = phase_of(number).expect("a phase");
            let want = [Want::Up, Want::Down, Want::Once][want];
            let [paused, exit, begun, draining, itself, asked, notifies, leads] = flags;
            let machine = Machine::adopted(phase, want, paused);
            let mut part = Part::new(Role::Service, machine.and(exit, begun, Why::from_number(failed)));
            let pid = pid.and_then(Pid::from_raw);
            part.process = pid.map(|pid| Process::inherited(pid, leads, Bond::Start(start)));
            part.since = Label::from_unix(times[0]);
            [part.tried, part.due, _] = times;
            part.end_by = paused.then_some(times[2]);
            (part.draining, part.restarts_itself, part.asked) = (draining, itself, asked);
            part.notifies = notifies;
            part.ready = notifies.then(|| Label::from_unix(times[1]));
            let death = Death { at: Label::from_unix(times[2]), pid: 7, how: How::Exit(code) };
            part.death = exit.then_some(death);
            part.restarts.note(times[1]);
            part.pace = Pace::new(streak, deaths);
            part
        }
    }

    proptest! {
        #[test]
        fn what_is_handed_over_is_what_was(part in parts()) {
            let back = read_back(&part);
            prop_assert_eq!(back.machine, part.machine);
            prop_assert_eq!(back.status(), part.status());
            prop_assert_eq!(back.process.map(|p| (p.pid(), p.leads())),
                part.process.map(|p| (p.pid(), p.leads())));
            prop_assert_eq!((back.tried, back.due, back.end_by), (part.tried, part.due, part.end_by));
            prop_assert_eq!((back.draining, back.restarts_itself, back.asked),
                (part.draining, part.restarts_itself, part.asked));
            prop_assert_eq!((back.notifies, back.ready, back.death, back.restarts),
                (part.notifies, part.ready, part.death, part.restarts));
            prop_assert_eq!(back.pace, part.pace);
        }

        #[test]
        fn a_cut_state_is_refused_or_whole(part in parts(), cut in 0..500_usize) {
            let mut state = Writer::default();
            write_part(&part, &mut state);
            let bytes = state.as_bytes();
            let cut = cut.min(bytes.len());
            if let Ok(reader) = Reader::new(&bytes[..cut]) {
                let _ = read_part(Role::Service, &reader);
            }
        }
    }
}
