//! A syslog daemon's end of `/dev/log`: what a logger sends there can be looked at.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Mutex};

/// A datagram socket that keeps every message it gets. It goes on listening, in a thread, to the end of the program.
pub struct SyslogSocket {
    messages: Arc<Mutex<Vec<String>>>,
}

impl SyslogSocket {
    /// Listens at `path`.
    ///
    /// # Errors
    /// If no socket can be made there.
    pub fn bind(path: &Path) -> io::Result<SyslogSocket> {
        let socket = UnixDatagram::bind(path)?;
        // As a syslog daemon's: every account may log.
        fs::set_permissions(path, fs::Permissions::from_mode(0o666))?;
        let messages = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&messages);
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count) = socket.recv(&mut buffer) {
                let message = String::from_utf8_lossy(&buffer[..count]).into_owned();
                sink.lock().expect("no holder panics").push(message);
            }
        });
        Ok(SyslogSocket { messages })
    }

    /// The messages so far, as sent: `<22>Jan  1 00:00:00 tag: text`.
    pub fn messages(&self) -> Vec<String> {
        self.messages.lock().expect("no holder panics").clone()
    }
}
