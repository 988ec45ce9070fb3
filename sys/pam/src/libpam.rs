//! The functions, and what they call back.

use super::Step;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::marker::PhantomData;
use core::ptr::{NonNull, null, null_mut};
use std::ffi::CString;

// Linux-PAM's numbers (security/_pam_types.h).
const USER: c_int = 2;
const REMOTE_HOST: c_int = 4;
const QUESTION: c_int = 1;
const ECHOED_QUESTION: c_int = 2;
const ERROR: c_int = 3;
const OUT_OF_MEMORY: c_int = 5;
const CONVERSATION_FAILED: c_int = 19;
const MAX_MESSAGES: c_int = 32;
const NO_EMPTY_PASSWORDS: c_int = 1;
const ESTABLISH: c_int = 2;
const SILENT: c_int = 0x8000;
/// In pam_end(3): modules must not undo what the program is to have.
const DATA_SILENT: c_int = 0x4000_0000;

enum Handle {}

#[repr(C)]
struct Message {
    style: c_int,
    text: *const c_char,
}

#[repr(C)]
struct Response {
    text: *mut c_char,
    /// Always 0.
    code: c_int,
}

type Callback =
    unsafe extern "C" fn(c_int, *const *const Message, *mut *mut Response, *mut c_void) -> c_int;

#[repr(C)]
struct Conversation {
    callback: Callback,
    data: *mut c_void,
}

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_start(
        service: *const c_char,
        user: *const c_char,
        conversation: *const Conversation,
        handle: *mut *mut Handle,
    ) -> c_int;
    fn pam_end(handle: *mut Handle, status: c_int) -> c_int;
    fn pam_set_item(handle: *mut Handle, kind: c_int, item: *const c_void) -> c_int;
    fn pam_get_item(handle: *const Handle, kind: c_int, item: *mut *const c_void) -> c_int;
    fn pam_authenticate(handle: *mut Handle, flags: c_int) -> c_int;
    fn pam_acct_mgmt(handle: *mut Handle, flags: c_int) -> c_int;
    fn pam_setcred(handle: *mut Handle, flags: c_int) -> c_int;
    fn pam_strerror(handle: *mut Handle, code: c_int) -> *const c_char;
}

/// What modules are told, and what they say.
struct Talk {
    user: CString,
    password: NonNull<u8>,
    length: usize,
    said: Vec<Vec<u8>>,
}

/// A PAM transaction for one user, who has given one password.
pub struct Transaction<'a> {
    handle: NonNull<Handle>,
    /// Behind the pointer that libpam has; made by `Box::into_raw`.
    talk: NonNull<Talk>,
    /// The password's.
    lifetime: PhantomData<&'a [u8]>,
}

impl<'a> Transaction<'a> {
    /// Begins with what `/etc/pam.d/SERVICE` says. `password`, which has no NUL in it, isn't copied but for modules that ask.
    ///
    /// # Errors
    /// Why not, for the log.
    pub fn start(service: &CStr, user: &CStr, password: &'a [u8]) -> Result<Self, Vec<u8>> {
        let talk = Talk {
            user: user.to_owned(),
            password: NonNull::from(password).cast(),
            length: password.len(),
            said: Vec::new(),
        };
        let talk = NonNull::from(Box::leak(Box::new(talk)));
        let conversation = Conversation { callback: converse, data: talk.as_ptr().cast() };
        let mut handle = null_mut();
        // SAFETY: three C strings and a conversation that libpam copies; `talk` lives until `Drop`, after pam_end.
        let code = unsafe {
            pam_start(service.as_ptr(), user.as_ptr(), &raw const conversation, &raw mut handle)
        };
        match NonNull::new(handle) {
            Some(handle) if code == 0 => Ok(Self { handle, talk, lifetime: PhantomData }),
            handle => {
                let reason = text_of(code);
                if let Some(handle) = handle {
                    // SAFETY: a handle that pam_start gave, ended once.
                    unsafe { pam_end(handle.as_ptr(), code) };
                }
                // SAFETY: leaked above, and libpam has no handle with it any more.
                drop(unsafe { Box::from_raw(talk.as_ptr()) });
                Err(reason)
            }
        }
    }

    /// Tells modules where the client is.
    ///
    /// # Errors
    /// libpam's code.
    pub fn set_remote_host(&mut self, host: &CStr) -> Result<(), i32> {
        // SAFETY: the handle is alive, and libpam copies the string.
        let code = unsafe { pam_set_item(self.handle.as_ptr(), REMOTE_HOST, host.as_ptr().cast()) };
        if code == 0 { Ok(()) } else { Err(code) }
    }

    /// Asks, and gives libpam's code.
    pub fn ask(&mut self, step: Step) -> i32 {
        let handle = self.handle.as_ptr();
        // SAFETY: the handle is alive; the conversation's data, too, and nobody else looks at it meanwhile.
        unsafe {
            match step {
                Step::Password => pam_authenticate(handle, NO_EMPTY_PASSWORDS | SILENT),
                Step::Account => pam_acct_mgmt(handle, NO_EMPTY_PASSWORDS | SILENT),
                Step::Credentials => pam_setcred(handle, ESTABLISH | SILENT),
            }
        }
    }

    /// What modules have complained of since this was asked last.
    pub fn messages(&mut self, see: impl Fn(&[u8])) {
        // SAFETY: alive until `Drop`; libpam uses it within `ask` only.
        let talk = unsafe { self.talk.as_mut() };
        for text in core::mem::take(&mut talk.said) {
            see(&text);
        }
    }

    /// The user's name, as modules may have changed it.
    pub fn user(&self) -> Option<CString> {
        let mut item = null();
        // SAFETY: the handle is alive.
        let code = unsafe { pam_get_item(self.handle.as_ptr(), USER, &raw mut item) };
        if code != 0 || item.is_null() {
            return None;
        }
        // SAFETY: this item is a C string, libpam's own, valid until the next call.
        Some(unsafe { CStr::from_ptr(item.cast()) }.to_owned())
    }

    /// What a code means, for the log.
    pub fn reason(&self, code: i32) -> Vec<u8> {
        text_of(code)
    }

    /// Ends it, `code` being what came last. What modules have got for the program stays.
    pub fn end(self, code: i32) {
        self.finish(if code == 0 { DATA_SILENT } else { code });
        core::mem::forget(self);
    }

    fn finish(&self, status: c_int) {
        // SAFETY: ended once: `end` forgets what `drop` would end. After it libpam has the data no longer, which was leaked.
        unsafe {
            pam_end(self.handle.as_ptr(), status);
            drop(Box::from_raw(self.talk.as_ptr()));
        }
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        /// `PAM_ABORT`.
        const GIVEN_UP: c_int = 26;
        self.finish(GIVEN_UP);
    }
}

fn text_of(code: c_int) -> Vec<u8> {
    // SAFETY: Linux-PAM doesn't look at the handle.
    let text = unsafe { pam_strerror(null_mut(), code) };
    if text.is_null() {
        return b"unknown reason".to_vec();
    }
    // SAFETY: a C string, a constant of libpam's or of its message catalogue.
    unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()
}

/// Answers modules: the password to what isn't echoed, the name to what is; and remembers their complaints.
///
/// # Safety
/// Called by libpam, as pam_conv(3) has it, with the data that [`Transaction::start`] gave it.
unsafe extern "C" fn converse(
    count: c_int,
    messages: *const *const Message,
    responses: *mut *mut Response,
    data: *mut c_void,
) -> c_int {
    if !(1..=MAX_MESSAGES).contains(&count) || messages.is_null() || responses.is_null() {
        return CONVERSATION_FAILED;
    }
    // SAFETY: the data is ours, alive, and used by nobody else while a module asks.
    let Some(talk) = (unsafe { data.cast::<Talk>().as_mut() }) else { return CONVERSATION_FAILED };
    let count = count.unsigned_abs() as usize;
    // SAFETY: calloc of so many; zeros are a valid response: none.
    let answers = unsafe { libc::calloc(count, size_of::<Response>()) }.cast::<Response>();
    if answers.is_null() {
        return OUT_OF_MEMORY;
    }
    for index in 0..count {
        // SAFETY: so many pointers to messages there are, and so many responses.
        let (message, answer) = unsafe { (&**messages.add(index), &mut *answers.add(index)) };
        let text: &[u8] = match message.style {
            // SAFETY: the password's slice outlives the transaction.
            QUESTION => unsafe { core::slice::from_raw_parts(talk.password.as_ptr(), talk.length) },
            ECHOED_QUESTION => talk.user.to_bytes(),
            ERROR if !message.text.is_null() => {
                // SAFETY: a message's text is a C string.
                talk.said.push(unsafe { CStr::from_ptr(message.text) }.to_bytes().to_vec());
                continue;
            }
            // What is only to be shown: there is nobody to see it.
            _ => continue,
        };
        answer.text = allocated(text);
        if answer.text.is_null() {
            // SAFETY: made above, and not handed over.
            unsafe { forget(answers, count) };
            return OUT_OF_MEMORY;
        }
    }
    // SAFETY: libpam gave the place; the module frees what is there.
    unsafe { *responses = answers };
    0
}

/// A copy that free(3) frees, with a NUL at its end; null without memory.
fn allocated(text: &[u8]) -> *mut c_char {
    // SAFETY: one byte more than the text has, and all of them are written.
    unsafe {
        let copy = libc::calloc(text.len() + 1, 1).cast::<u8>();
        if !copy.is_null() {
            copy.copy_from_nonoverlapping(text.as_ptr(), text.len());
        }
        copy.cast()
    }
}

/// Wipes and frees the first `count` responses.
///
/// # Safety
/// `answers` are so many, made by calloc, their texts by [`allocated`] or null.
unsafe fn forget(answers: *mut Response, count: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        for index in 0..count {
            let text = (*answers.add(index)).text;
            if !text.is_null() {
                let length = CStr::from_ptr(text).count_bytes();
                zeroize::Zeroize::zeroize(core::slice::from_raw_parts_mut(
                    text.cast::<u8>(),
                    length,
                ));
                libc::free(text.cast());
            }
        }
        libc::free(answers.cast());
    }
}
