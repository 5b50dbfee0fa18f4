//! Where a guest's heap is.
//!
//! Each call of an action has a memory of its own, and most calls need little of it. The standard allocator begins by asking
//! for more memory, which costs the host two changes of the protection of pages (and, where it has several threads, an interrupt on
//! every core), more than a small call itself. So the first [`FIRST_BYTES`] are part of the memory that a component begins with;
//! pages of it that are not touched cost nothing. A call that needs more grows as ever.
//!
//! The feature `allocator`, a default, makes it the component's global allocator.

#![allow(unsafe_code, reason = "an allocator hands out raw memory; it is the only one of the SDK")]

use core::alloc::Layout;
use core::arch::wasm32::memory_grow;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use talc::base::Talc;
use talc::base::binning::Binning;
use talc::cell::TalcSyncCell;
use talc::source::Source;
use talc::wasm::WasmBinning;

/// How much there is before the memory has to grow.
const FIRST_BYTES: usize = 128 * 1024;
/// A page of WebAssembly.
const PAGE_BYTES: usize = 64 * 1024;
/// What the allocator may need beside what is asked for.
const SPARE_BYTES: usize = 64;

static mut FIRST: [MaybeUninit<u8>; FIRST_BYTES] = [MaybeUninit::uninit(); FIRST_BYTES];

#[global_allocator]
static HEAP: TalcSyncCell<FirstThenGrow, WasmBinning> =
    TalcSyncCell::new_wasm(FirstThenGrow { began: false, end: None });

/// Gives the allocator what the component began with, and then pages.
#[derive(Debug)]
struct FirstThenGrow {
    began: bool,
    /// Where what has been grown ends, as far as the allocator has it.
    end: Option<NonNull<u8>>,
}

// SAFETY: it allocates nothing itself.
unsafe impl Source for FirstThenGrow {
    fn acquire<B: Binning>(heap: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        if !core::mem::replace(&mut heap.source.began, true) {
            // SAFETY: the array is named only here, and given once.
            return unsafe { heap.claim((&raw mut FIRST).cast(), FIRST_BYTES) }.map(|_| ()).ok_or(());
        }
        let (base, bytes) = grown(layout)?;
        heap.source.end = match heap.source.end.take() {
            // SAFETY: the pages are new, nothing refers to them, and they follow on what was claimed before.
            Some(end) if end.as_ptr() == base => Some(unsafe { heap.extend(end, base.wrapping_add(bytes)) }),
            // SAFETY: the pages are new, and nothing refers to them.
            _ => Some(unsafe { heap.claim(base, bytes) }.ok_or(())?),
        };
        Ok(())
    }
}

/// New pages that have room for the layout.
fn grown(layout: Layout) -> Result<(*mut u8, usize), ()> {
    let needed = layout.size().checked_add(layout.align()).and_then(|bytes| bytes.checked_add(SPARE_BYTES)).ok_or(())?;
    let pages = needed.div_ceil(PAGE_BYTES);
    match memory_grow::<0>(pages) {
        usize::MAX => Err(()),
        before => Ok((core::ptr::with_exposed_provenance_mut(before * PAGE_BYTES), pages * PAGE_BYTES)),
    }
}
