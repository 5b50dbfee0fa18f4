//! Components that are valid and small, and meant to take the compiler as long and as much memory as can be: made here,
//! because files of this kind are no good company.

use wasm_encoder::{
    BlockType, CodeSection, Component, ConstExpr, DataSection, Function, FunctionSection, InstructionSink,
    MemorySection, MemoryType, Module, ModuleSection, TypeSection, ValType,
};

/// One, and what it is.
pub(crate) struct Bomb {
    pub(crate) name: &'static str,
    pub(crate) component: Vec<u8>,
}

/// All of them.
pub(crate) fn all() -> Vec<Bomb> {
    let bomb = |name, component| Bomb { name, component };
    vec![
        bomb("many functions", many_functions(400_000)),
        bomb("one huge function", straight_line(2_000_000)),
        bomb("many locals in many loops", locals_in_loops(20_000, 1_000)),
        bomb("deep blocks", deep_blocks(300_000)),
        bomb("a huge branch table", branch_table(5_000, 200)),
        bomb("much data", much_data(24 * 1024 * 1024)),
        bomb("many types", many_types(300_000)),
    ]
}

/// The one that needs the most memory for its size: each loop carries each local.
pub(crate) fn of_memory() -> Vec<u8> {
    locals_in_loops(40_000, 20_000)
}

/// One that takes long and is under 10 MiB up to 6,000 functions: they are dear to compile, some 5 ms each in a release build.
pub(crate) fn of_time(functions: usize) -> Vec<u8> {
    let bodies = (0..functions).map(|_| loops(20, 100)).collect();
    component(&module(bodies))
}

/// Functions that do nothing.
fn many_functions(count: usize) -> Vec<u8> {
    component(&module(vec![function(&[], |_| {}); count]))
}

/// One function without a branch.
fn straight_line(operations: usize) -> Vec<u8> {
    let body = function(&[(1, ValType::I64)], |body| {
        for _ in 0..operations / 4 {
            body.local_get(0).local_get(0).i64_mul().local_set(0);
        }
    });
    component(&module(vec![body]))
}

fn locals_in_loops(locals: u32, loops_: usize) -> Vec<u8> {
    component(&module(vec![loops(locals, loops_)]))
}

/// Loops one after the other, which all change all locals.
fn loops(locals: u32, count: usize) -> Function {
    function(&[(locals, ValType::I32)], |body| {
        for turn in 0..count {
            let local = u32::try_from(turn).unwrap() % locals;
            body.loop_(BlockType::Empty);
            body.local_get(local).i32_const(1).i32_add().local_set(local);
            body.local_get(local).br_if(0);
            body.end();
        }
        // Read, so that none is left out.
        for local in 0..locals.min(10_000) {
            body.local_get(local).drop();
        }
    })
}

fn deep_blocks(depth: usize) -> Vec<u8> {
    let body = function(&[], |body| {
        for _ in 0..depth {
            body.block(BlockType::Empty);
        }
        for _ in 0..depth {
            body.end();
        }
    });
    component(&module(vec![body]))
}

/// Tables that lead to each of many blocks.
fn branch_table(targets: u32, tables: usize) -> Vec<u8> {
    let body = function(&[(1, ValType::I32)], |body| {
        for _ in 0..targets {
            body.block(BlockType::Empty);
        }
        for _ in 0..tables {
            body.block(BlockType::Empty);
            body.local_get(0).br_if(0);
            body.local_get(0).br_table(0..targets, 0);
            body.end();
        }
        for _ in 0..targets {
            body.end();
        }
    });
    component(&module(vec![body]))
}

fn much_data(bytes: usize) -> Vec<u8> {
    let mut module = Module::new();
    let mut memories = MemorySection::new();
    let pages = u64::try_from(bytes / (64 * 1024)).unwrap();
    memories.memory(MemoryType { minimum: pages, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(0), vec![7; bytes]);
    component(module.section(&memories).section(&data))
}

fn many_types(count: usize) -> Vec<u8> {
    let mut types = TypeSection::new();
    for number in 0..count {
        let bits = number.to_le_bytes().map(|byte| if byte & 1 == 0 { ValType::I32 } else { ValType::F64 });
        types.ty().function(bits, [ValType::I64; 3]);
    }
    component(Module::new().section(&types))
}

fn function(locals: &[(u32, ValType)], write: impl FnOnce(&mut InstructionSink<'_>)) -> Function {
    let mut function = Function::new(locals.iter().copied());
    write(&mut function.instructions());
    function.instructions().end();
    function
}

/// A module of functions without parameters.
fn module(bodies: Vec<Function>) -> Module {
    let (mut types, mut functions, mut code) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([], []);
    for body in bodies {
        functions.function(0);
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    module
}

/// A component that holds a module. Nothing makes an instance of it: it is compiled all the same.
fn component(module: &Module) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&ModuleSection(module));
    component.finish()
}
