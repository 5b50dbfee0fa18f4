//! A VFS for SQLite that does what the real one does and writes down what was written and flushed, in order.

#![allow(unsafe_code, reason = "SQLite calls a VFS through C function pointers; nothing else sees each of its writes")]

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use parking_lot::Mutex;
use rusqlite::ffi;

use super::disk::Event;

/// What happened so far on all files that were opened with this VFS.
pub(super) struct Recorder {
    real: *mut ffi::sqlite3_vfs,
    trace: Mutex<Trace>,
}

// SAFETY: `real` is SQLite's own VFS, which is registered for the life of the process and may be used by any thread.
unsafe impl Send for Recorder {}
// SAFETY: as above; the trace is behind a lock.
unsafe impl Sync for Recorder {}

#[derive(Default)]
struct Trace {
    events: Vec<Event>,
    /// The numbers of the files that have names now.
    files: BTreeMap<String, usize>,
    created: usize,
}

/// A file as SQLite sees it; the real VFS's file stands behind it in the same allocation.
#[repr(C)]
struct RecordedFile {
    base: ffi::sqlite3_file,
    recorder: &'static Recorder,
    number: usize,
    /// Whether the real VFS flushes the directory together with the file: it does so once for a log that it made.
    flushes_names: bool,
}

impl Recorder {
    /// Registers a recorder under a name. It stays registered until the process ends.
    pub(super) fn register(name: &str) -> &'static Self {
        // SAFETY: a null name asks for the default VFS, which is there and stays. Its struct is copied so that the methods
        // that know nothing of files (time, randomness, paths) are the real ones; they do not look at their VFS.
        unsafe {
            let real = ffi::sqlite3_vfs_find(ptr::null());
            let recorder: &'static Self = Box::leak(Box::new(Self { real, trace: Mutex::default() }));
            let name = CString::new(name).unwrap().into_raw();
            let vfs = ffi::sqlite3_vfs {
                zName: name,
                szOsFile: c_int::try_from(size_of::<RecordedFile>()).unwrap() + (*real).szOsFile,
                pNext: ptr::null_mut(),
                pAppData: ptr::from_ref(recorder).cast_mut().cast(),
                xOpen: Some(open),
                xDelete: Some(delete),
                ..*real
            };
            assert_eq!(ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0), ffi::SQLITE_OK);
            recorder
        }
    }

    pub(super) fn note(&self, event: Event) {
        self.trace.lock().events.push(event);
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.trace.lock().events.clone()
    }
}

impl Trace {
    /// The number of the file with this name, which is a new one if there was none.
    fn file(&mut self, path: &str) -> usize {
        let name = path.rsplit('/').next().unwrap().to_owned();
        if let Some(number) = self.files.get(&name) {
            return *number;
        }
        let number = self.created;
        self.created += 1;
        self.files.insert(name.clone(), number);
        self.events.push(Event::Create { name });
        number
    }

    fn delete(&mut self, path: &str, flushed: bool) {
        let name = path.rsplit('/').next().unwrap().to_owned();
        self.files.remove(&name);
        self.events.push(Event::Delete { name });
        if flushed {
            self.events.push(Event::FlushNames);
        }
    }
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes the VFS that was registered, whose data is a leaked recorder, and memory of its `szOsFile`.
    unsafe {
        let recorder: &'static Recorder = &*(*vfs).pAppData.cast();
        let real = real_file(file);
        let code = ((*recorder.real).xOpen.unwrap())(recorder.real, path, real, flags, out_flags);
        if code != ffi::SQLITE_OK {
            (*file).pMethods = ptr::null();
            return code;
        }
        assert!(!path.is_null(), "the store asks for no temporary files, and they would not be recorded");
        let mut trace = recorder.trace.lock();
        let before = trace.created;
        let number = trace.file(CStr::from_ptr(path).to_str().unwrap());
        let is_log = flags & (ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL) != 0;
        let flushes_names = is_log && trace.created > before;
        let base = ffi::sqlite3_file { pMethods: &raw const METHODS };
        file.cast::<RecordedFile>().write(RecordedFile { base, recorder, number, flushes_names });
        ffi::SQLITE_OK
    }
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, path: *const c_char, flush: c_int) -> c_int {
    // SAFETY: as in `open`.
    unsafe {
        let recorder: &'static Recorder = &*(*vfs).pAppData.cast();
        let code = ((*recorder.real).xDelete.unwrap())(recorder.real, path, flush);
        if code == ffi::SQLITE_OK {
            recorder.trace.lock().delete(CStr::from_ptr(path).to_str().unwrap(), flush != 0);
        }
        code
    }
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, data: *const c_void, bytes: c_int, offset: i64) -> c_int {
    // SAFETY: the file was opened by `open`, and SQLite passes `bytes` bytes.
    unsafe {
        let code = real_method!(file, xWrite)(real_file(file), data, bytes, offset);
        if code == ffi::SQLITE_OK {
            let data = std::slice::from_raw_parts(data.cast::<u8>(), usize::try_from(bytes).unwrap()).to_vec();
            let (number, offset) = (recorded(file).number, u64::try_from(offset).unwrap());
            recorded(file).recorder.note(Event::Write { file: number, offset, data });
        }
        code
    }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, bytes: i64) -> c_int {
    // SAFETY: the file was opened by `open`.
    unsafe {
        let code = real_method!(file, xTruncate)(real_file(file), bytes);
        if code == ffi::SQLITE_OK {
            let number = recorded(file).number;
            recorded(file).recorder.note(Event::Truncate { file: number, bytes: u64::try_from(bytes).unwrap() });
        }
        code
    }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: the file was opened by `open`.
    unsafe {
        let code = real_method!(file, xSync)(real_file(file), flags);
        if code == ffi::SQLITE_OK {
            let file = recorded(file);
            file.recorder.note(Event::Flush { file: file.number });
            if std::mem::take(&mut file.flushes_names) {
                file.recorder.note(Event::FlushNames);
            }
        }
        code
    }
}

/// The real VFS's file behind a recorded one.
unsafe fn real_file(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: `szOsFile` of our VFS leaves room for the real file behind ours.
    unsafe { file.cast::<RecordedFile>().add(1).cast() }
}

unsafe fn recorded<'a>(file: *mut ffi::sqlite3_file) -> &'a mut RecordedFile {
    // SAFETY: SQLite passes a file that `open` has made, and uses it from one thread at a time.
    unsafe { &mut *file.cast() }
}

/// A method of the real VFS's file.
macro_rules! real_method {
    ($file:ident, $method:ident) => {
        (*(*real_file($file)).pMethods).$method.unwrap()
    };
}
use real_method;

/// Methods that only pass on what they are asked.
macro_rules! pass_on {
    ($($name:ident = $method:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {$(
        unsafe extern "C" fn $name(file: *mut ffi::sqlite3_file, $($argument: $type),*) -> $answer {
            // SAFETY: the file was opened by `open`, and the rest is what SQLite passes to the real method.
            unsafe { real_method!(file, $method)(real_file(file), $($argument),*) }
        }
    )*};
}

pass_on! {
    close = xClose() -> c_int;
    read = xRead(data: *mut c_void, bytes: c_int, offset: i64) -> c_int;
    file_size = xFileSize(bytes: *mut i64) -> c_int;
    lock = xLock(level: c_int) -> c_int;
    unlock = xUnlock(level: c_int) -> c_int;
    check_reserved_lock = xCheckReservedLock(answer: *mut c_int) -> c_int;
    file_control = xFileControl(operation: c_int, argument: *mut c_void) -> c_int;
    sector_size = xSectorSize() -> c_int;
    device_characteristics = xDeviceCharacteristics() -> c_int;
    shm_map = xShmMap(region: c_int, bytes: c_int, extend: c_int, memory: *mut *mut c_void) -> c_int;
    shm_lock = xShmLock(offset: c_int, count: c_int, flags: c_int) -> c_int;
    shm_barrier = xShmBarrier() -> ();
    shm_unmap = xShmUnmap(delete: c_int) -> c_int;
}

/// Version 2: with shared memory, without mapping the database into memory, so that every read and write is a call.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
