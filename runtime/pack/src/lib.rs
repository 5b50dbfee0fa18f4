//! Pack directories to checked packs, with diagnostics that point at the line.
