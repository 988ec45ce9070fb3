//! The whole table: every state against every event, and what holds over any run of events.

use super::*;
use proptest::prelude::*;

const EVENTS: [(&str, Event); 19] = [
    ("Begin", Event::Begin),
    ("u", Event::Command(Command::Up)),
    ("d", Event::Command(Command::Down)),
    ("o", Event::Command(Command::Once)),
    ("x", Event::Command(Command::Exit)),
    ("p", Event::Command(Command::Pause)),
    ("c", Event::Command(Command::Continue)),
    ("h", Event::Command(Command::Send(Signal::HUP))),
    ("a", Event::Command(Command::Send(Signal::ALARM))),
    ("i", Event::Command(Command::Send(Signal::INT))),
    ("t", Event::Command(Command::Send(Signal::TERM))),
    ("k", Event::Command(Command::Send(Signal::KILL))),
    ("Started", Event::Started),
    ("NotRun", Event::NotRun),
    ("NotForked", Event::NotForked),
    ("Ended", Event::Ended),
    ("Due", Event::Due),
    ("Drained", Event::Drained),
    ("Terminate", Event::Terminate),
];

/// Every state there is, the impossible ones left out: paused and not running, draining and no
/// logger or not wanted down, delayed and wanted down, down or delayed and about to exit.
fn states() -> Vec<Machine> {
    let mut states = Vec::new();
    for service in [Service::Down, Service::Delayed, Service::Up, Service::Draining] {
        for want in [Want::Up, Want::Down, Want::Once] {
            for paused in [false, true] {
                for exit in [false, true] {
                    for logger in [false, true] {
                        let machine = Machine { service, want, paused, exit, logger };
                        if possible(&machine) {
                            states.push(machine);
                        }
                    }
                }
            }
        }
    }
    states
}

fn possible(machine: &Machine) -> bool {
    let Machine { service, want, paused, exit, logger } = *machine;
    match service {
        Service::Down => !paused && !exit,
        Service::Delayed => !paused && !exit && want != Want::Down,
        Service::Up => true,
        Service::Draining => logger && want == Want::Down,
    }
}

fn name(machine: &Machine) -> String {
    let mut name = format!("{:?}/{:?}", machine.service, machine.want);
    for (set, flag) in
        [(machine.paused, "paused"), (machine.exit, "exit"), (machine.logger, "logger")]
    {
        if set {
            name = name + "+" + flag;
        }
    }
    name
}

fn describe(effects: &Effects) -> String {
    let mut words: Vec<String> = Vec::new();
    for (set, word) in [(effects.stamp, "stamp"), (effects.publish, "publish")] {
        words.extend(set.then(|| word.to_owned()));
    }
    for signal in effects.signals {
        let names = [
            (Signal::HUP, "HUP"),
            (Signal::ALARM, "ALRM"),
            (Signal::INT, "INT"),
            (Signal::TERM, "TERM"),
            (Signal::KILL, "KILL"),
            (Signal::STOP, "STOP"),
            (Signal::CONT, "CONT"),
        ];
        let found = names.iter().find(|(known, _)| known == signal);
        words.push(found.expect("a signal of ours").1.to_owned());
    }
    for (set, word) in [(effects.start, "start"), (effects.exit, "exit")] {
        words.extend(set.then(|| word.to_owned()));
    }
    words.join(" ")
}

/// A block for each state: its name, then a line for each event that does or changes anything.
fn table() -> String {
    let mut table = String::new();
    for state in states() {
        table += &format!("{}\n", name(&state));
        for (word, event) in EVENTS {
            let mut next = state;
            let effects = next.step(event);
            if next == state && effects == Effects::default() {
                continue;
            }
            let to = if next == state { "same".to_owned() } else { name(&next) };
            table += format!("  {word:9} {to:33} {}", describe(&effects)).trim_end();
            table.push('\n');
        }
    }
    table
}

#[test]
fn the_whole_table() {
    let expected = include_str!("table.txt");
    let table = table();
    for (line, (got, wanted)) in table.lines().zip(expected.lines()).enumerate() {
        assert_eq!(got, wanted, "line {} of table.txt", line + 1);
    }
    assert_eq!(table.lines().count(), expected.lines().count());
}

#[test]
fn no_event_leads_to_an_impossible_state() {
    for state in states() {
        for (word, event) in EVENTS {
            let mut next = state;
            let effects = next.step(event);
            let over = effects.exit;
            assert!(possible(&next) || over, "{word} in {} gives {}", name(&state), name(&next));
        }
    }
}

/// A world around the machine that allows only what can happen: no process, no end of one.
#[derive(Debug, Default)]
struct World {
    running: bool,
    over: bool,
}

impl World {
    fn can_happen(&self, event: Event) -> bool {
        match event {
            Event::Begin | Event::Started | Event::NotRun | Event::NotForked => false,
            Event::Ended => self.running,
            Event::Command(_) | Event::Due | Event::Drained | Event::Terminate => true,
        }
    }

    /// `start` is how each start goes: it is taken up at once, as the daemon does.
    fn happen(&mut self, machine: &mut Machine, event: Event, start: Event) {
        if event == Event::Ended {
            self.running = false;
        }
        let effects = machine.step(event);
        assert!(effects.signals.is_empty() || self.running, "nobody to signal");
        if effects.start {
            assert!(!self.running, "started twice");
            self.running = start == Event::Started;
            let then = machine.step(start);
            assert!(!then.start && !then.exit && then.publish && then.signals.is_empty());
            assert_eq!(then.stamp, self.running);
        }
        if effects.exit {
            assert!(!self.running, "left a service behind");
            self.over = true;
        }
        assert_eq!(machine.runs(), self.running);
        assert!(!machine.paused() || self.running);
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    (0..EVENTS.len()).prop_map(|index| EVENTS[index].1)
}

fn any_start() -> impl Strategy<Value = Event> {
    prop_oneof![Just(Event::Started), Just(Event::NotRun), Just(Event::NotForked)]
}

proptest! {
    #[test]
    fn there_is_never_a_second_process(
        logger: bool,
        up: bool,
        events in proptest::collection::vec((any_event(), any_start()), 0..60),
    ) {
        let want = if up { Want::Up } else { Want::Down };
        let mut machine = Machine::down(want, logger);
        let mut world = World::default();
        world.happen(&mut machine, Event::Begin, Event::Started);
        for (event, start) in events {
            if !world.over && world.can_happen(event) {
                world.happen(&mut machine, event, start);
            }
        }
    }

    #[test]
    fn d_then_x_always_comes_to_an_end(
        logger: bool,
        events in proptest::collection::vec((any_event(), any_start()), 0..30),
    ) {
        let mut machine = Machine::down(Want::Up, logger);
        let mut world = World::default();
        for (event, start) in events {
            if !world.over && world.can_happen(event) {
                world.happen(&mut machine, event, start);
            }
        }
        let (down, exit) = (Event::Command(Command::Down), Event::Command(Command::Exit));
        for event in [down, exit, Event::Drained, Event::Ended] {
            if !world.over && (event != Event::Ended || world.running) {
                world.happen(&mut machine, event, Event::Started);
            }
        }
        prop_assert!(world.over);
    }

    #[test]
    fn a_service_wanted_up_comes_back(
        events in proptest::collection::vec((any_event(), any_start()), 0..30),
    ) {
        let mut machine = Machine::down(Want::Up, false);
        let mut world = World::default();
        for (event, start) in events {
            let ends = matches!(event, Event::Command(Command::Exit) | Event::Terminate);
            if !ends && world.can_happen(event) {
                world.happen(&mut machine, event, start);
            }
        }
        world.happen(&mut machine, Event::Command(Command::Up), Event::NotForked);
        for event in [Event::Ended, Event::Due] {
            if world.can_happen(event) {
                world.happen(&mut machine, event, Event::Started);
            }
        }
        prop_assert!(world.running);
    }
}
