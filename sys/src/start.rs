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
            $crate::start::panic(info)
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
            "mov rdi, rsp",
            "lea rsi, [rip + __ehdr_start]",
            "lea rdx, [rip + _DYNAMIC]",
            "and rsp, -16",
            "call {start}",
            "ud2",
            ".weak _DYNAMIC",
            ".hidden _DYNAMIC",
            ".weak __ehdr_start",
            ".hidden __ehdr_start",
            start = sym daemontools_start,
        );

        unsafe extern "C" fn daemontools_start(
            stack: *const usize,
            image: *const u8,
            dynamic: *const $crate::start::Dynamic,
        ) -> ! {
            const MAIN: $crate::start::Main = $main;
            // SAFETY: `_start` hands over what the kernel and the linker laid out.
            unsafe { $crate::start::freestanding(stack, image, dynamic, MAIN) }
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
            // SAFETY: the caller's promise, by the function's name.
            unsafe { $crate::mem::compare(left, right, count) }
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

/// Says where a program of ours broke a rule of its own, and ends it.
pub fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let mut line = [0_u8; 160];
    let mut length = 0;
    let mut put = |bytes: &[u8]| {
        let count = bytes.len().min(line.len() - length);
        line[length..length + count].copy_from_slice(&bytes[..count]);
        length += count;
    };
    put(b"fatal: internal error at ");
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
pub use self::kernel::{Dynamic, freestanding};

#[cfg(freestanding)]
mod kernel {
    use super::{Main, Startup};
    use core::ffi::c_char;

    /// An entry of the dynamic section: ELF-64 `Elf64_Dyn`.
    #[repr(C)]
    pub struct Dynamic {
        tag: u64,
        value: u64,
    }

    const DT_NULL: u64 = 0;
    const DT_RELA: u64 = 7;
    const DT_RELASZ: u64 = 8;

    /// ELF-64 `Elf64_Rela`.
    #[repr(C)]
    struct Relocation {
        offset: u64,
        info: u64,
        addend: i64,
    }

    const R_X86_64_RELATIVE: u64 = 8;

    /// From the kernel: the program is a static position-independent executable that hasn't been
    /// relocated yet.
    ///
    /// # Safety
    /// `stack` is the initial stack of the process, `image` the address at which the program was
    /// loaded, `dynamic` its dynamic section.
    pub unsafe fn freestanding(
        stack: *const usize,
        image: *const u8,
        dynamic: *const Dynamic,
        main: Main,
    ) -> ! {
        // SAFETY: the caller's promises: the kernel puts argc, argv, a NULL, envp and a NULL at
        // the top of the initial stack, and never touches them again.
        unsafe {
            relocate(image, dynamic);
            let argc = *stack;
            let argv = stack.add(1).cast::<*const c_char>();
            let Startup { args, env } = Startup::new(argc, argv, argv.add(argc + 1));
            crate::fork::exit(main(args, env))
        }
    }

    /// Applies the program's own relocations: each adds the load address to one word.
    ///
    /// # Safety
    /// As [`freestanding`]. Must not itself use a word that isn't relocated yet: it reads only its
    /// arguments and the tables that they lead to.
    #[inline(always)]
    unsafe fn relocate(image: *const u8, mut dynamic: *const Dynamic) {
        let (mut table, mut size) = (0, 0);
        // SAFETY: the dynamic section ends with a DT_NULL; the linker wrote table, size and
        // offsets, all of which lie within the program's writable image.
        unsafe {
            while (*dynamic).tag != DT_NULL {
                match (*dynamic).tag {
                    DT_RELA => table = (*dynamic).value,
                    DT_RELASZ => size = (*dynamic).value,
                    _ => {}
                }
                dynamic = dynamic.add(1);
            }
            let mut relocation = image.add(table as usize).cast::<Relocation>();
            let end = image.add((table + size) as usize).cast::<Relocation>();
            while relocation < end {
                if (*relocation).info == R_X86_64_RELATIVE {
                    let word = image.add((*relocation).offset as usize).cast_mut().cast::<u64>();
                    *word = (image.addr() as u64).wrapping_add_signed((*relocation).addend);
                }
                relocation = relocation.add(1);
            }
        }
    }
}
