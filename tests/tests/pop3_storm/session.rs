//! A client: it looks at the mailbox, takes some messages, deletes some, and perhaps something befalls it.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{setsockopt, sockopt};
use nix::unistd::Pid;
use tests::storm::random::Random;
use tests::tls::{self, Tls};

use crate::fault::{Fault, Role, What, When};
use crate::host::Host;
use crate::message::{self, message};
use crate::replies;

/// What qmail-popup says when a session's program was killed.
const LAST_WORDS: &[u8] = b"-ERR [SYS/TEMP] aack, child crashed";

/// What a client knows in the end.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) quit: Quit,
    /// What was marked as deleted when QUIT was said, as far as the client can know.
    pub(crate) marked: BTreeSet<u64>,
    /// Messages that were listed, and couldn't be had.
    pub(crate) refused: BTreeSet<u64>,
    /// How many messages came whole.
    pub(crate) retrieved: usize,
    /// Whether something that was asked wasn't answered.
    pub(crate) cut: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Quit {
    #[default]
    NotSaid,
    Unanswered,
    Done,
}

/// What may be asked, of the how-manieth message.
#[derive(Debug, Clone, Copy)]
enum Command {
    Retr(usize),
    Top(usize),
    Dele(usize),
    List(usize),
    Stat,
    Rset,
    Quit,
}

impl Command {
    fn line(self) -> String {
        match self {
            Command::Retr(number) => format!("RETR {number}\r\n"),
            Command::Top(number) => format!("TOP {number} 0\r\n"),
            Command::Dele(number) => format!("DELE {number}\r\n"),
            Command::List(number) => format!("LIST {number}\r\n"),
            Command::Stat => "STAT\r\n".to_owned(),
            Command::Rset => "RSET\r\n".to_owned(),
            Command::Quit => "QUIT\r\n".to_owned(),
        }
    }

    fn is_long(self) -> bool {
        matches!(self, Command::Retr(_) | Command::Top(_))
    }
}

/// One session, from its connection on.
pub(crate) struct Visit<'a> {
    host: &'a Host,
    random: &'a mut Random,
    fault: Option<Fault>,
    stream: Option<Stream>,
    port: u16,
    is_greeted: bool,
    /// Whether nobody else is at work in the mailbox.
    is_alone: bool,
    /// What has come and isn't taken apart yet.
    got: Vec<u8>,
    /// The messages, by number less one.
    ids: Vec<u64>,
}

impl<'a> Visit<'a> {
    /// Connects: in the clear, by STLS, or over TLS.
    pub(crate) fn new(host: &'a Host, random: &'a mut Random, fault: Option<Fault>) -> Visit<'a> {
        let relay = fault.is_some_and(|fault| fault.what == What::Kill(Role::Relay));
        let way = random.below(if relay { 2 } else { 5 });
        let mut socket = host.connect(way == 0);
        let port = socket.local_addr().expect("an address").port();
        let stream = match way {
            0 | 1 => {
                if way == 1 {
                    assert!(line(&mut socket).starts_with("+OK "), "{}", host.log());
                    socket.write_all(b"STLS\r\n").expect("ask for TLS");
                    assert!(line(&mut socket).starts_with("+OK "), "{}", host.log());
                }
                let tls = tls::over(socket, "localhost", &host.certificate()).expect("TLS");
                Stream::Tls(Box::new(tls))
            }
            _ => Stream::Clear(socket),
        };
        Visit {
            host,
            random,
            fault,
            stream: Some(stream),
            port,
            is_greeted: way == 1,
            is_alone: false,
            got: Vec::new(),
            ids: Vec::new(),
        }
    }

    /// The whole session.
    pub(crate) fn told(mut self) -> Told {
        let mut told = Told::default();
        if !self.logs_in() {
            told.cut = true;
            return told;
        }
        let commands = self.plan();
        self.carry_out(&commands, &mut told);
        told
    }

    /// A session that takes everything and deletes nothing; what there is.
    pub(crate) fn looks_at_all(mut self) -> BTreeSet<u64> {
        self.is_alone = true;
        assert!(self.logs_in(), "no login: {}", self.host.log());
        let numbers = 1..=self.ids.len();
        let all = self.random.once_in(8);
        let retr = numbers.clone().filter(|_| all).map(Command::Retr);
        let mut commands: Vec<_> = retr.chain(numbers.map(Command::List)).collect();
        commands.extend([Command::Stat, Command::Quit]);
        let mut told = Told::default();
        self.carry_out(&commands, &mut told);
        assert!(told.quit == Quit::Done && !told.cut, "{told:?}: {}", self.host.log());
        self.ids.iter().copied().collect()
    }

    /// From the greeting to the list of messages; false if it ends before that.
    fn logs_in(&mut self) -> bool {
        let checker = self.fault.is_some_and(|fault| fault.what == What::Kill(Role::Checker));
        let user = if checker { "held" } else { "joe" };
        if !self.is_greeted && self.reply(false).is_none() {
            return self.over();
        }
        self.strikes(|when| when == When::Greeted);
        self.send(format!("USER {user}\r\nPASS secret\r\n").as_bytes());
        self.strikes(|when| when == When::Password);
        // The second is the session's own.
        for _ in 0..2 {
            match self.reply(false) {
                Some((true, _)) => {}
                Some((false, _)) | None => return self.over(),
            }
        }
        self.send(b"UIDL\r\n");
        let Some((true, list)) = self.reply(true) else { return self.over() };
        let list = String::from_utf8(list).expect("a list of ids");
        for (at, line) in list.lines().filter(|line| *line != ".").enumerate() {
            let (number, id) = line.split_once(' ').expect("a number and an id");
            assert_eq!(number, (at + 1).to_string());
            self.ids.push(message::id(id).unwrap_or_else(|| panic!("nobody's message: {id}")));
        }
        let each: BTreeSet<_> = self.ids.iter().collect();
        assert_eq!(each.len(), self.ids.len(), "a message is listed twice: {list}");
        true
    }

    fn is_harmed(&self) -> bool {
        self.fault.is_some_and(|fault| fault.what.harms())
    }

    /// A session may end here only if something befell it.
    fn over(&self) -> bool {
        assert!(self.is_harmed(), "no login: {}", self.host.log());
        false
    }

    /// What this client wants of the messages.
    fn plan(&mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        let sweeps = self.random.once_in(4);
        for number in 1..=self.ids.len() {
            match self.random.below(12) {
                _ if sweeps => commands.push(Command::Dele(number)),
                0..4 => commands.push(Command::Retr(number)),
                4 => commands.extend([Command::Retr(number), Command::Dele(number)]),
                5 | 6 => commands.push(Command::Dele(number)),
                7 => commands.extend([Command::Top(number), Command::List(number)]),
                8 if self.random.once_in(8) => commands.push(Command::Rset),
                8 => commands.push(Command::Stat),
                _ => {}
            }
        }
        let at_quit = self.fault.is_some_and(|fault| matches!(fault.when, When::Quit(_)));
        if at_quit || !self.random.once_in(4) {
            commands.push(Command::Quit);
        }
        commands
    }

    /// Sends all commands, at once or one after the other, and holds the replies against the messages.
    fn carry_out(&mut self, commands: &[Command], told: &mut Told) {
        // What comes after the messages is more likely to be hit if they have all been sent by then.
        let late = self.fault.is_some_and(|fault| matches!(fault.when, When::Quit(_)));
        let pipelined = !self.random.once_in(if late { 2 } else { 3 });
        let expected: usize = commands.iter().map(|command| self.expected(*command)).sum();
        // So much is to come before it strikes.
        let mut until = match self.fault.map(|fault| fault.when) {
            Some(When::Replies(part)) => expected * part / 1000,
            Some(When::Greeted | When::Password | When::Quit(_)) | None => usize::MAX,
        };
        let mut marked = BTreeSet::new();
        let mut sent = 0;
        for (nth, command) in commands.iter().enumerate() {
            while sent == nth || (pipelined && sent < commands.len()) {
                let next = if pipelined { commands.len() } else { nth + 1 };
                let lines: String = commands[sent..next].iter().map(|c| c.line()).collect();
                sent = next;
                if matches!(commands[sent - 1], Command::Quit) {
                    told.quit = Quit::Unanswered;
                    told.marked = self.marks(&commands[..sent]);
                    let target = self.target();
                    self.send(lines.as_bytes());
                    self.strikes_at(target, |when| matches!(when, When::Quit(_)));
                } else {
                    self.send(lines.as_bytes());
                }
            }
            let reply = self.reply_struck(command.is_long(), &mut until);
            let Some((is_ok, rest)) = reply.filter(|(_, rest)| rest != LAST_WORDS) else {
                self.is_a_beginning(*command);
                told.cut = true;
                assert!(self.is_harmed(), "{command:?} was cut: {}", self.host.log());
                return;
            };
            match command {
                Command::Retr(number) if is_ok => {
                    let id = self.ids[number - 1];
                    assert!(rest == message(id).sent, "RETR of {id}");
                    told.retrieved += 1;
                }
                Command::Retr(number) | Command::Top(number) if !is_ok => {
                    told.refused.insert(self.ids[number - 1]);
                }
                Command::Dele(number) if is_ok => {
                    marked.insert(self.ids[number - 1]);
                }
                Command::List(number) if is_ok => {
                    self.is_its_size(*number, &String::from_utf8_lossy(&rest));
                }
                Command::Rset => {
                    assert!(is_ok);
                    marked.clear();
                }
                Command::Quit => {
                    assert!(is_ok, "QUIT: {}: {}", String::from_utf8_lossy(&rest), self.host.log());
                    told.quit = Quit::Done;
                    // Now it is known.
                    told.marked.clone_from(&marked);
                }
                Command::Retr(_)
                | Command::Top(_)
                | Command::Dele(_)
                | Command::List(_)
                | Command::Stat => {}
            }
        }
    }

    /// Its size as sent; of one that somebody else has moved or removed meanwhile, and that can't be read, that of its file.
    fn is_its_size(&self, number: usize, line: &str) {
        let message = message(self.ids[number - 1]);
        let may_be = |size: usize| line == format!("+OK {number} {size}");
        let known = may_be(message.octets) || (!self.is_alone && may_be(message.file.len()));
        assert!(known, "LIST of {}: {line}", self.ids[number - 1]);
    }

    /// What is marked after these commands, whether they were answered or not.
    fn marks(&self, commands: &[Command]) -> BTreeSet<u64> {
        let mut marked = BTreeSet::new();
        for command in commands {
            match command {
                Command::Dele(number) => {
                    marked.insert(self.ids[number - 1]);
                }
                Command::Rset => marked.clear(),
                Command::Retr(_)
                | Command::Top(_)
                | Command::List(_)
                | Command::Stat
                | Command::Quit => {}
            }
        }
        marked
    }

    /// How long the reply is, more or less.
    fn expected(&self, command: Command) -> usize {
        match command {
            Command::Retr(number) => message(self.ids[number - 1]).sent.len() + 20,
            Command::Top(_) | Command::List(_) | Command::Stat => 20,
            Command::Dele(_) | Command::Rset | Command::Quit => 5,
        }
    }

    /// What came of a reply that was cut is how the message begins.
    fn is_a_beginning(&self, command: Command) {
        if let (Command::Retr(number), Some(begun)) = (command, replies::begun(&self.got)) {
            let id = self.ids[number - 1];
            // qmail-popup has a word to say about a session that was killed, wherever it was.
            let begun = begun
                .strip_suffix(b"\r\n")
                .and_then(|begun| begun.strip_suffix(LAST_WORDS))
                .unwrap_or(begun);
            assert!(message(id).sent.starts_with(begun), "RETR of {id}, cut");
        }
    }

    /// The next reply: whether it is +OK, and what follows its first line, or else that line. `None` if the connection ends.
    fn reply(&mut self, long: bool) -> Option<(bool, Vec<u8>)> {
        let mut never = usize::MAX;
        self.reply_struck(long, &mut never)
    }

    /// The same; it strikes when so much more has come.
    fn reply_struck(&mut self, long: bool, until: &mut usize) -> Option<(bool, Vec<u8>)> {
        let mut buffer = [0; 65536];
        loop {
            if let Some(reply) = replies::first(&self.got, long) {
                let what = if long && reply.is_ok { reply.rest } else { reply.line };
                let (is_ok, what, length) = (reply.is_ok, what.to_vec(), reply.length);
                self.got.drain(..length);
                return Some((is_ok, what));
            }
            if *until == 0 {
                *until = usize::MAX;
                self.strikes(|when| matches!(when, When::Replies(_)));
            }
            let room = buffer.len().min(*until);
            match self.stream.as_mut()?.read(&mut buffer[..room]) {
                Ok(count @ 1..) => {
                    self.got.extend_from_slice(&buffer[..count]);
                    if *until != usize::MAX {
                        *until -= count;
                    }
                }
                // Nobody needs to wait so long: a session that hangs is no session that was cut.
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    panic!("no reply: {}", self.host.log())
                }
                Ok(0) | Err(_) => {
                    self.stream = None;
                    return None;
                }
            }
        }
    }

    /// To one that is gone, nothing can be sent; what it said before may still come.
    fn send(&mut self, bytes: &[u8]) {
        if let Some(stream) = &mut self.stream {
            let _ = stream.write_all(bytes).and_then(|()| stream.flush());
        }
    }

    /// Whom it will hit, if it is about a program.
    fn target(&mut self) -> Option<Pid> {
        let What::Kill(role) = self.fault?.what else { return None };
        let choice = self.random.below(8);
        let program = self.host.program_of(self.port, role, choice);
        program.or_else(|| self.host.program_of(self.port, Role::Any, choice))
    }

    /// If this is the moment, it happens.
    fn strikes(&mut self, is_now: impl Fn(When) -> bool) {
        self.strikes_at(None, is_now);
    }

    /// The same, where there is no time to look for the target.
    fn strikes_at(&mut self, target: Option<Pid>, is_now: impl Fn(When) -> bool) {
        let Some(fault) = self.fault.filter(|fault| is_now(fault.when)) else { return };
        let target = target.or_else(|| self.target());
        if let When::Quit(moments) = fault.when {
            // Something between nothing and about as long as QUIT takes.
            for _ in 0..moments {
                std::hint::black_box(message::name(7));
            }
        }
        match fault.what {
            What::Nothing => {}
            What::ClientCloses => self.stream = None,
            What::ClientResets => {
                if let Some(stream) = self.stream.take() {
                    let reset = nix::libc::linger { l_onoff: 1, l_linger: 0 };
                    setsockopt(stream.socket(), sockopt::Linger, &reset).expect("set linger");
                }
            }
            What::ClientStopsSending => {
                if let Some(stream) = &mut self.stream {
                    stream.stop_sending();
                }
            }
            What::Kill(_) => {
                // The session may be over.
                if let Some(target) = target {
                    let _ = kill(target, Signal::SIGKILL);
                }
            }
            What::DiskIsFull => self.host.fill(),
            What::NoInodes => self.host.take_inodes(),
        }
    }
}

/// One line, and nothing of what follows it.
fn line(socket: &mut TcpStream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while byte != *b"\n" && matches!(socket.read(&mut byte), Ok(1)) {
        line.push(byte[0]);
    }
    String::from_utf8_lossy(&line).into_owned()
}

enum Stream {
    Clear(TcpStream),
    Tls(Box<Tls>),
}

impl Stream {
    fn socket(&self) -> &TcpStream {
        match self {
            Stream::Clear(socket) => socket,
            Stream::Tls(tls) => &tls.sock,
        }
    }

    fn stop_sending(&mut self) {
        if let Stream::Tls(tls) = self {
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
        let _ = self.socket().shutdown(Shutdown::Write);
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Stream::Clear(socket) => socket.read(buffer),
            Stream::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Stream::Clear(socket) => socket.write(bytes),
            Stream::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Stream::Clear(socket) => socket.flush(),
            Stream::Tls(tls) => tls.flush(),
        }
    }
}
