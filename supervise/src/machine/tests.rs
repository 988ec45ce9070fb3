//! The whole table: every state against every event, and what holds over any run of events.

use super::*;
use proptest::prelude::*;

const EVENTS: [(&str, Event); 17] = [
    ("Begin", Event::Begin),
    ("u", Event::Command(Command::Up)),
    ("o", Event::Command(Command::Once)),
    ("d", Event::Command(Command::Down)),
    ("x", Event::Command(Command::Exit)),
    ("p", Event::Command(Command::Pause)),
    ("c", Event::Command(Command::Continue)),
    ("t", Event::Command(Command::Send(Signal::TERM))),
    ("Began", Event::Began),
    ("Absent", Event::Absent),
    ("NotRun", Event::NotRun),
    ("NotForked", Event::NotForked),
    ("Ended", Event::Ended),
    ("Failed", Event::Failed(Failure::Exit)),
    ("Due", Event::Due),
    ("Terminate", Event::Terminate),
    ("E", Event::Command(Command::Upgrade)),
];

const SCRIPTS: [Script; 4] = [Script::Start, Script::Run, Script::Finish, Script::Stop];
const WANTS: [Want; 3] = [Want::Up, Want::Once, Want::Down];
const BOTH: [bool; 2] = [false, true];

/// Every state there is, but for `paused` and `failed`, which decide nothing (see below).
fn states() -> Vec<Machine> {
    let mut phases = vec![Phase::Down, Phase::Started];
    phases.extend(SCRIPTS.map(Phase::Waiting));
    phases.extend(SCRIPTS.map(Phase::Runs));
    let mut states = Vec::new();
    for phase in phases {
        for exit in BOTH {
            for begun in BOTH {
                for want in WANTS {
                    let machine = Machine { phase, want, paused: false, exit, begun, failed: None };
                    if possible(&machine) {
                        states.push(machine);
                    }
                }
            }
        }
    }
    states
}

/// Left out: waiting for a start that is no longer wanted, `run` or `stop` without anything begun
/// (but for a first `run`, which is just being tried), a supervise that exits and is still there.
fn possible(machine: &Machine) -> bool {
    let Machine { phase, want, paused, exit, begun, failed } = *machine;
    let runs = matches!(phase, Phase::Runs(_));
    let consistent = match phase {
        Phase::Down => !exit && !begun,
        Phase::Started => begun && want != Want::Down,
        Phase::Waiting(Script::Start) => !begun && want != Want::Down,
        Phase::Waiting(Script::Run) => begun && want != Want::Down,
        Phase::Waiting(Script::Finish | Script::Stop) => begun,
        Phase::Runs(Script::Start | Script::Run) => begun || want != Want::Down,
        Phase::Runs(Script::Finish | Script::Stop) => begun,
    };
    consistent && (runs || !paused) && (failed.is_none() || want == Want::Down)
}

fn phase(phase: Phase) -> String {
    match phase {
        Phase::Down => "Down".to_owned(),
        Phase::Started => "Started".to_owned(),
        Phase::Waiting(script) => format!("Waiting({script:?})"),
        Phase::Runs(script) => format!("{script:?}"),
    }
}

fn want(want: Want) -> &'static str {
    match want {
        Want::Up => "up",
        Want::Once => "once",
        Want::Down => "down",
    }
}

/// Whether the script is just being tried, the first one: nothing but the outcome can come.
fn is_first(machine: &Machine) -> bool {
    matches!(machine.phase, Phase::Runs(_)) && !machine.begun
}

fn can_come(machine: &Machine, event: Event) -> bool {
    let outcome = matches!(event, Event::Began | Event::Absent | Event::NotRun | Event::NotForked);
    outcome || !is_first(machine)
}

fn block(machine: &Machine) -> String {
    let mut name = phase(machine.phase);
    for (set, word) in [(is_first(machine), ", first"), (machine.exit, ", exit")] {
        if set {
            name += word;
        }
    }
    name
}

/// What an event does, in a few words: the phase that it leads to, what is wanted then if that is new,
/// and what is to be done.
fn cell(before: Machine, event: Event) -> String {
    if !can_come(&before, event) {
        return "-".to_owned();
    }
    let mut after = before;
    let effects = after.step(event);
    if after == before && effects == Effects::default() {
        return "-".to_owned();
    }
    let mut words = Vec::new();
    if after.phase != before.phase && effects.execute.is_none() {
        words.push(phase(after.phase));
    }
    if after.want != before.want {
        words.push(format!("={}", want(after.want)));
    }
    for (new, old, word) in
        [(after.exit, before.exit, "+exit"), (after.failed.is_some(), false, "failed")]
    {
        if new && !old {
            words.push(word.to_owned());
        }
    }
    for (set, word) in [
        (effects.stamp, "stamp"),
        (effects.afresh, "afresh"),
        (effects.spare, "spare"),
        (effects.publish, "publish"),
        (effects.end, "END"),
    ] {
        words.extend(set.then(|| word.to_owned()));
    }
    let names = [(Signal::STOP, "STOP"), (Signal::CONT, "CONT"), (Signal::TERM, "TERM")];
    if let Some(signal) = effects.signal {
        let found = names.iter().find(|(known, _)| *known == signal);
        words.push(found.expect("a signal of ours").1.to_owned());
    }
    if let Some(script) = effects.execute {
        words.push(format!("<{}>", format!("{script:?}").to_lowercase()));
    }
    words.extend(effects.exit.then(|| "EXIT".to_owned()));
    words.join(" ")
}

/// A block for each phase: a line for each event, a column for each thing that may be wanted.
fn table() -> String {
    let mut table = String::new();
    let states = states();
    let mut names: Vec<String> = states.iter().map(block).collect();
    names.dedup();
    for name in names {
        let columns: Vec<Machine> =
            states.iter().filter(|state| block(state) == name).copied().collect();
        let heads: Vec<String> =
            columns.iter().map(|state| format!("wanted {}", want(state.want))).collect();
        table += &line(&name, &heads);
        for (word, event) in EVENTS {
            let cells: Vec<String> = columns.iter().map(|state| cell(*state, event)).collect();
            if cells.iter().any(|cell| cell != "-") {
                table += &line(&format!("  {word}"), &cells);
            }
        }
    }
    table
}

fn line(head: &str, cells: &[String]) -> String {
    let cells: String = cells.iter().map(|cell| format!(" {cell:38}")).collect();
    format!("{}\n", format!("{head:21}{cells}").trim_end())
}

#[test]
fn the_whole_table() {
    let expected = include_str!("table.txt");
    let table = table();
    if let Some(path) = std::env::var_os("TABLE") {
        std::fs::write(path, &table).expect("write the table");
    }
    for (line, (got, wanted)) in table.lines().zip(expected.lines()).enumerate() {
        assert_eq!(got, wanted, "line {} of table.txt", line + 1);
    }
    assert_eq!(table.lines().count(), expected.lines().count());
}

/// What the table leaves out: a pause and a failure change nothing but themselves.
#[test]
fn a_pause_and_a_failure_decide_nothing() {
    let same = |machine: Machine| Machine { paused: false, failed: None, ..machine };
    for state in states() {
        for (paused, failed) in [(true, None), (false, Some(Failure::Start))] {
            let other = Machine { paused, failed, ..state };
            if !possible(&other) {
                continue;
            }
            for (word, event) in EVENTS {
                let (mut one, mut two) = (state, other);
                assert_eq!(one.step(event), two.step(event), "{word} in {other:?}");
                assert_eq!(same(one), same(two), "{word} in {other:?}");
            }
        }
    }
}

#[test]
fn a_failure_is_shown_until_somebody_wants_it_started() {
    let mut machine = Machine::down(Want::Down, Some(Failure::Restarts));
    for letter in [Command::Down, Command::Continue, Command::Send(Signal::HUP)] {
        let _ = machine.step(Event::Command(letter));
        assert_eq!(machine.failed(), Some(Failure::Restarts));
    }
    for letter in [Command::Up, Command::Once] {
        let mut again = machine;
        let _ = again.step(Event::Command(letter));
        assert_eq!(again.failed(), None);
    }
}

/// A signal reaches whatever runs, and does nothing else.
#[test]
fn a_signal_is_passed_on() {
    let signals = Command::LETTERS.into_iter().filter_map(|(_, command)| {
        if let Command::Send(signal) = command { Some(signal) } else { None }
    });
    for signal in signals {
        for state in states() {
            let mut next = state;
            let effects = next.step(Event::Command(Command::Send(signal)));
            let expected = state.runs().then_some(signal);
            assert_eq!(effects, Effects { signal: expected, ..Effects::default() });
            assert_eq!(next, state);
        }
    }
}

#[test]
fn no_event_leads_to_an_impossible_state() {
    for state in states() {
        for (word, event) in EVENTS {
            if !can_come(&state, event) {
                continue;
            }
            let mut next = state;
            let effects = next.step(event);
            assert!(possible(&next) || effects.exit, "{word} in {state:?} gives {next:?}");
        }
    }
}

/// A world around the machine that allows only what can happen: no process, no end of one.
#[derive(Debug, Default)]
struct World {
    running: Option<Script>,
    over: bool,
    starts: usize,
    stops: usize,
}

/// How the tries of the four scripts go, in the order of [`SCRIPTS`].
type Tries = [Event; 4];

impl World {
    fn can_happen(&self, event: Event) -> bool {
        match event {
            Event::Begin | Event::Began | Event::Absent | Event::NotRun | Event::NotForked => false,
            Event::Ended => self.running.is_some(),
            Event::Failed(_) => self.running.is_some_and(|script| script != Script::Stop),
            Event::Command(_) | Event::Due | Event::Terminate => true,
        }
    }

    /// Each try is taken up at once, as the daemon does.
    fn happen(&mut self, machine: &mut Machine, event: Event, tries: Tries) {
        if matches!(event, Event::Ended | Event::Failed(_)) {
            self.running = None;
        }
        let mut next = Some(event);
        let mut steps = 0;
        while let Some(event) = next.take() {
            steps += 1;
            assert!(steps < 8, "it never comes to rest");
            let effects = machine.step(event);
            assert!(!effects.end || self.running.is_some(), "nobody to end");
            assert!(effects.signal.is_none() || self.running.is_some(), "nobody to signal");
            if let Some(script) = effects.execute {
                assert!(self.running.is_none(), "{script:?} beside {:?}", self.running);
                assert!(!effects.exit);
                let outcome = tries[script as usize];
                if outcome == Event::Began {
                    self.running = Some(script);
                    self.starts += usize::from(script == Script::Start);
                    self.stops += usize::from(script == Script::Stop);
                }
                next = Some(outcome);
            }
            if effects.exit {
                assert!(self.running.is_none(), "left something behind");
                self.over = true;
            }
        }
        assert_eq!(machine.runs(), self.running.is_some());
        assert!(self.stops <= self.starts, "`stop` without a `start`");
        assert!(!machine.paused() || self.running.is_some());
        assert!(possible(machine) || self.over, "{machine:?}");
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    (0..EVENTS.len()).prop_map(|index| EVENTS[index].1)
}

/// A directory with all scripts, which can be started or not; `run` may be missing or no program.
fn any_tries() -> impl Strategy<Value = Tries> {
    let script = || prop_oneof![4 => Just(Event::Began), 1 => Just(Event::NotForked)];
    let run = prop_oneof![
        4 => Just(Event::Began), 1 => Just(Event::NotForked), 1 => Just(Event::NotRun),
    ];
    (script(), run, script(), script())
        .prop_map(|(start, run, finish, stop)| [start, run, finish, stop])
}

const ALL_WELL: Tries = [Event::Began; 4];

proptest! {
    #[test]
    fn there_is_never_a_second_process(
        up: bool,
        events in proptest::collection::vec((any_event(), any_tries()), 0..60),
    ) {
        let mut machine = Machine::down(if up { Want::Up } else { Want::Down }, None);
        let mut world = World::default();
        world.happen(&mut machine, Event::Begin, ALL_WELL);
        for (event, tries) in events {
            if !world.over && world.can_happen(event) {
                world.happen(&mut machine, event, tries);
            }
        }
    }

    #[test]
    fn d_then_x_always_comes_to_an_end(
        events in proptest::collection::vec((any_event(), any_tries()), 0..30),
    ) {
        let mut machine = Machine::down(Want::Up, None);
        let mut world = World::default();
        for (event, tries) in events {
            if !world.over && world.can_happen(event) {
                world.happen(&mut machine, event, tries);
            }
        }
        let (down, exit) = (Event::Command(Command::Down), Event::Command(Command::Exit));
        // `run`, `finish` and `stop` end one after the other; one of them may have to wait.
        for event in [down, exit, Event::Due, Event::Ended, Event::Ended, Event::Ended] {
            if !world.over && (event != Event::Ended || world.running.is_some()) {
                world.happen(&mut machine, event, ALL_WELL);
            }
        }
        prop_assert!(world.over, "{machine:?}");
    }

    #[test]
    fn a_service_wanted_up_comes_back(
        events in proptest::collection::vec((any_event(), any_tries()), 0..30),
    ) {
        let mut machine = Machine::down(Want::Up, None);
        let mut world = World::default();
        for (event, tries) in events {
            let ends = matches!(event, Event::Command(Command::Exit) | Event::Terminate);
            if !ends && world.can_happen(event) {
                world.happen(&mut machine, event, tries);
            }
        }
        world.happen(&mut machine, Event::Command(Command::Up), ALL_WELL);
        for _ in 0..6 {
            if world.running != Some(Script::Run) {
                let event = if world.running.is_some() { Event::Ended } else { Event::Due };
                world.happen(&mut machine, event, ALL_WELL);
            }
        }
        prop_assert_eq!(world.running, Some(Script::Run));
    }

    /// After a `start` that has succeeded, the service isn't down before `stop` has run, once.
    #[test]
    fn what_was_started_is_stopped(
        events in proptest::collection::vec((any_event(), any_tries()), 0..60),
    ) {
        let mut machine = Machine::down(Want::Up, None);
        let mut world = World::default();
        let mut open = false;
        for (event, tries) in events {
            if world.over || !world.can_happen(event) {
                continue;
            }
            let (ran, stops) = (world.running, world.stops);
            world.happen(&mut machine, event, tries);
            open |= ran == Some(Script::Start) && event == Event::Ended;
            if world.stops > stops {
                prop_assert_eq!(world.stops, stops + 1);
                open = false;
            }
            let down = machine.phase() == Phase::Down;
            prop_assert!(!(down && open), "down without a `stop`");
        }
    }
}
