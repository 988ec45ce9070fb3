//! In the place of `libpam`, where there is none to link with: the program says so. What each is for stands there.

#![expect(missing_docs)]

use super::Step;
use core::ffi::CStr;
use core::marker::PhantomData;
use std::ffi::CString;

pub struct Transaction<'a>(PhantomData<&'a ()>);

impl<'a> Transaction<'a> {
    pub fn start(_: &CStr, _: &CStr, _: &'a [u8]) -> Result<Self, Vec<u8>> {
        Err(b"built on a host without libpam".to_vec())
    }

    pub fn set_remote_host(&mut self, _: &CStr) -> Result<(), i32> {
        Err(4)
    }

    pub fn ask(&mut self, _: Step) -> i32 {
        4
    }

    pub fn messages(&mut self, _: impl Fn(&[u8])) {}

    pub fn user(&self) -> Option<CString> {
        None
    }

    pub fn reason(&self, _: i32) -> Vec<u8> {
        Vec::new()
    }

    pub fn end(self, _: i32) {}
}
