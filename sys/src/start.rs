//! The start of a program, from the kernel (freestanding) or from the C library (hosted), to its
//! `run`, and the one entry macro.

use crate::args::{Args, Env, Startup};
use core::ffi::c_char;

/// What a program does: arguments and environment in, exit code out.
pub type Main = fn(Args, Env) -> u8;

/// The start of an ordinary std program that runs others: as std's own `main` is not entered,
/// SIGPIPE keeps what our parent gave us, and closed descriptors stay closed.
///
/// `sys::entry_std!(run)` with a [`Main`], in a bin that says `#![no_main]`.
#[macro_export]
macro_rules! entry_std {
    ($main:expr) => {
        #[unsafe(no_mangle)]
        unsafe extern "C" fn main(
            argc: ::core::ffi::c_int,
            argv: *const *const ::core::ffi::c_char,
            envp: *const *const ::core::ffi::c_char,
        ) -> ::core::ffi::c_int {
            const MAIN: $crate::start::Main = $main;
            // SAFETY: the C library hands over the kernel's vectors.
            unsafe { $crate::start::hosted(argc, argv, envp, MAIN) }
        }
    };
}

/// The start of a program without std, in both modes: `sys::entry!(run)` with a [`Main`], for
/// programs that run another and are gone; `sys::entry!(run, resident)` for those that stay.
///
/// The bin says `#![no_std]` and `#![no_main]`.
#[macro_export]
macro_rules! entry {
    ($main:expr) => {
        $crate::entry!(@ $main, $crate::alloc::Bump, $crate::alloc::Bump::new());
    };
    ($main:expr, resident) => {
        // SAFETY: our programs have one thread.
        $crate::entry!(@ $main, $crate::alloc::Resident, unsafe { $crate::alloc::resident() });
    };
    (@ $main:expr, $allocator:ty, $new:expr) => {
        #[global_allocator]
        static ALLOCATOR: $allocator = $new;

        #[panic_handler]
        fn panic(info: &::core::panic::PanicInfo<'_>) -> ! {
            $crate::start::panic(::core::env!("CARGO_BIN_NAME"), info)
        }

        // Unoptimised code refers to these; with `panic = "abort"` nothing ever calls them.
        #[cfg(debug_assertions)]
        #[unsafe(no_mangle)]
        extern "C" fn rust_eh_personality() {}
        #[cfg(debug_assertions)]
        #[unsafe(no_mangle)]
        extern "C" fn _Unwind_Resume() {}

        $crate::__start!($main);
    };
}

/// The mode's part of [`entry!`].
#[cfg(freestanding)]
#[doc(hidden)]
#[macro_export]
macro_rules! __start {
    ($main:expr) => {
        ::core::arch::global_asm!(
            ".globl _start",
            ".type _start,@function",
            "_start:",
            "xor ebp, ebp",
            "mov r12, rsp",
            "and rsp, -16",
            "lea rdi, [rip + __ehdr_start]",
            "lea rsi, [rip + _DYNAMIC]",
            "call {relocate}",
            "mov rdi, r12",
            "call {start}",
            "ud2",
            ".weak _DYNAMIC",
            ".hidden _DYNAMIC",
            ".weak __ehdr_start",
            ".hidden __ehdr_start",
            relocate = sym $crate::start::daemontools_relocate,
            start = sym daemontools_start,
        );

        unsafe extern "C" fn daemontools_start(stack: *const usize) -> ! {
            const MAIN: $crate::start::Main = $main;
            // SAFETY: `_start` hands over what the kernel laid out, in a relocated program.
            unsafe { $crate::start::freestanding(stack, MAIN) }
        }

        #[unsafe(no_mangle)]
        unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
            // SAFETY: the caller's promise, by the function's name.
            unsafe { $crate::mem::copy(to, from, count) };
            to
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
            // SAFETY: the caller's promise, by the function's name.
            unsafe { $crate::mem::copy_overlapping(to, from, count) };
            to
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memset(to: *mut u8, value: i32, count: usize) -> *mut u8 {
            // SAFETY: the caller's promise, by the function's name.
            unsafe { $crate::mem::set(to, value as u8, count) };
            to
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, count: usize) -> i32 {
            // SAFETY: the caller's promise, by the function's name.
            unsafe { $crate::mem::compare(left, right, count) }
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, count: usize) -> i32 {
            // SAFETY: the caller's promise, by the function's name. (Not by what memcmp does: of two functions
            // with the same body the compiler keeps one, takes a memcmp for a bcmp then, and of that
            // only whether it is 0.)
            unsafe { $crate::mem::differ(left, right, count).into() }
        }
        #[unsafe(no_mangle)]
        unsafe extern "C" fn strlen(string: *const u8) -> usize {
            // SAFETY: the caller's promise, by the function's name.
            unsafe { $crate::mem::length(string) }
        }
    };
}

/// The mode's part of [`entry!`].
#[cfg(not(freestanding))]
#[doc(hidden)]
#[macro_export]
macro_rules! __start {
    ($main:expr) => {
        $crate::entry_std!($main);
    };
}

/// From a C library's `main`.
///
/// # Safety
/// The arguments are those of a C `main`, and stay unchanged for as long as the process lives.
pub unsafe fn hosted(
    argc: i32,
    argv: *const *const c_char,
    envp: *const *const c_char,
    main: Main,
) -> ! {
    // SAFETY: the caller's promise, handed on.
    let Startup { args, env } =
        unsafe { Startup::new(usize::try_from(argc).unwrap_or(0), argv, envp) };
    crate::fork::exit(main(args, env))
}

/// Says where a program of ours broke a rule of its own, and ends it: exit code 111.
pub fn panic(program: &str, info: &core::panic::PanicInfo<'_>) -> ! {
    let mut line = [0_u8; 160];
    let mut length = 0;
    let mut put = |bytes: &[u8]| {
        let count = bytes.len().min(line.len() - length);
        line[length..length + count].copy_from_slice(&bytes[..count]);
        length += count;
    };
    put(program.as_bytes());
    put(b": fatal: internal error at ");
    if let Some(place) = info.location() {
        put(place.file().as_bytes());
        put(b":");
        let mut digits = [0_u8; 10];
        let mut at = digits.len();
        let mut rest = place.line();
        while rest > 0 {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        put(&digits[at..]);
    }
    put(b"\n");
    if let Some(stderr) = crate::descriptor::borrow(2) {
        let _ = crate::descriptor::write_all(stderr, &line[..length]);
    }
    crate::fork::exit(111)
}

#[cfg(freestanding)]
pub use self::kernel::{daemontools_relocate, freestanding};

#[cfg(freestanding)]
mod kernel {
    use super::{Main, Startup};
    use core::arch::global_asm;
    use core::ffi::c_char;

    unsafe extern "C" {
        /// Applies a static position-independent executable's own relocations.
        ///
        /// rdi: the address at which it was loaded; rsi: its dynamic section.
        pub fn daemontools_relocate();
    }

    // In assembly, since unoptimised Rust calls and reads through words that aren't relocated yet.
    // The dynamic section (ELF-64 `Elf64_Dyn`: tag, value) names the table and its size in bytes;
    // each entry of the table (`Elf64_Rela`: offset, info, addend) of the kind R_X86_64_RELATIVE,
    // the only one in such a program, says: the word at `offset` is the load address + addend.
    global_asm!(
        ".pushsection .text.daemontools_relocate,\"ax\",@progbits",
        ".globl daemontools_relocate",
        ".hidden daemontools_relocate",
        ".type daemontools_relocate,@function",
        "daemontools_relocate:",
        "xor eax, eax",
        "xor ecx, ecx",
        "2:",
        "mov rdx, [rsi]",
        "cmp rdx, {DT_RELA}",
        "cmove rax, [rsi + 8]",
        "cmp rdx, {DT_RELASZ}",
        "cmove rcx, [rsi + 8]",
        "add rsi, 16",
        "test rdx, rdx",
        "jnz 2b",
        "add rax, rdi",
        "add rcx, rax",
        "3:",
        "cmp rax, rcx",
        "jae 5f",
        "cmp qword ptr [rax + 8], {R_X86_64_RELATIVE}",
        "jne 4f",
        "mov rdx, [rax]",
        "mov rsi, [rax + 16]",
        "add rsi, rdi",
        "mov [rdi + rdx], rsi",
        "4:",
        "add rax, 24",
        "jmp 3b",
        "5:",
        "ret",
        ".popsection",
        DT_RELA = const 7,
        DT_RELASZ = const 8,
        R_X86_64_RELATIVE = const 8,
    );

    /// From the kernel, once the program is relocated.
    ///
    /// # Safety
    /// `stack` is the initial stack of the process.
    pub unsafe fn freestanding(stack: *const usize, main: Main) -> ! {
        // SAFETY: the kernel puts argc, argv, a NULL, envp and a NULL at the top of the initial
        // stack, and never touches them again.
        unsafe {
            let argc = *stack;
            let argv = stack.add(1).cast::<*const c_char>();
            let Startup { args, env } = Startup::new(argc, argv, argv.add(argc + 1));
            crate::fork::exit(main(args, env))
        }
    }
}
