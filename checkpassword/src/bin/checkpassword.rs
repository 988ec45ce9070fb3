//! checkpassword: runs a program as the account whose name and password come on descriptor 3.

#![no_main]

common::std_program!(checkpassword::host::run);

#[global_allocator]
static MEMORY: sys::alloc::LargePages<std::alloc::System> =
    sys::alloc::LargePages(std::alloc::System);
