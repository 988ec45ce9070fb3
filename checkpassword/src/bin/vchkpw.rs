//! vchkpw: checkpassword for the users that a file names, who need no accounts on the host.

#![no_main]

common::std_program!(checkpassword::virtual_users::run);

#[global_allocator]
static MEMORY: sys::alloc::LargePages<std::alloc::System> =
    sys::alloc::LargePages(std::alloc::System);
