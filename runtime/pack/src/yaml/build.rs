//! From the parser's events to the tree, within the limits.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Tag};
use runner_model::{code, limits};

use super::{Entry, Kind, Node, Style, scalar};
use crate::diagnostic::{Document, Mistake};
use crate::source::Span;

/// Reads a document. Mistakes go to the file; without a tree it could not be read at all.
pub(crate) fn parse(file: &Document<'_>) -> Option<Node> {
    // The parser looks ahead: it would meet a depth that the tree is never to have. One level more lets most files be
    // refused here, with the better place.
    let mut options = granit_parser::options! {
        emit_unresolved_aliases: true,
        flow_nesting_limit: limits::YAML_DEPTH_MAX + 1,
        block_nesting_limit: limits::YAML_DEPTH_MAX + 1,
    };
    options.set_emit_comments(false);
    let mut builder = Builder::new(file);
    for next in Parser::new_from_str_with_options(file.source.text(), options) {
        match next {
            Ok((event, span)) => builder.event(event, byte_span(&span)).ok()?,
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0);
                file.add(match error.kind() {
                    ErrorKind::RecursionLimitExceeded => Mistake::new(code::PACK_LIMIT, Span::new(at, at), too_deep()),
                    _ => syntax_mistake(file.source.text(), at, &error.info()),
                });
                return None;
            }
        }
    }
    Some(builder.root.unwrap_or_else(|| Node::null(0)))
}

fn too_deep() -> String {
    format!("the file is nested more than {} levels deep", limits::YAML_DEPTH_MAX)
}

fn byte_span(span: &granit_parser::Span) -> Span {
    let start = span.start.byte_offset().unwrap_or(0);
    Span::new(start, span.end.byte_offset().unwrap_or(start))
}

fn syntax_mistake(text: &str, at: usize, info: &str) -> Mistake {
    let at = at.min(text.len());
    let line_start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let line = text.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let hint = if line.contains("<%") {
        Some(
            "put a value that holds an expression in quotes, such as `'<% … %>'`: `: `, ` #` and, in `{…}` and `[…]`, a comma end it otherwise",
        )
    } else if line.contains("{{") {
        Some("a value that begins with `{{` must be quoted; expressions are written `<% … %>`")
    } else if line.starts_with('\t') || line.trim_start_matches(' ').starts_with('\t') {
        Some("indent with spaces: YAML does not allow tabs there")
    } else if info.contains("mapping values") {
        Some("put a text that holds `: ` in quotes, or check the indentation of the line")
    } else {
        None
    };
    let info = info.trim_end_matches('.');
    Mistake::new(code::PACK_SYNTAX, Span::new(at, at), format!("this is not valid YAML: {info}"))
        .maybe_hint(hint.map(str::to_owned))
}

/// A collection that has begun.
struct Open {
    start: usize,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, seen: HashMap<String, Span>, key: Option<Key>, merged: Vec<Node> },
}

/// A key whose value is still to come.
enum Key {
    Text(String, Span),
    /// `<<`.
    Merge,
    /// Reported already; its value is dropped.
    Bad,
}

/// A limit was reached and reported: nothing more is read.
struct Stop;

struct Builder<'a> {
    file: &'a Document<'a>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    documents: usize,
    nodes: usize,
    aliases: usize,
    /// Where the last node ended: the end of a block collection is reported at the next token, lines later.
    last_end: usize,
}

impl<'a> Builder<'a> {
    fn new(file: &'a Document<'a>) -> Self {
        Self {
            file,
            open: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            documents: 0,
            nodes: 0,
            aliases: 0,
            last_end: 0,
        }
    }

    fn limit(&self, span: Span, message: String) -> Stop {
        self.file.add(Mistake::new(code::PACK_LIMIT, span, message));
        Stop
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(self.limit(span, "a file holds one document: this begins another".to_owned()));
                }
            }
            Event::Alias(id) => return self.alias(id, span),
            Event::UnresolvedAlias(name) => {
                let message = format!("there is no anchor `&{name}` before this alias");
                self.file.add(Mistake::new(code::PACK_SYNTAX, span, message));
                return self.add(Node { span, kind: Kind::Null }, 0);
            }
            Event::Scalar(text, style, anchor, tag) => {
                let node = self.scalar(&text, style, tag.as_deref(), span);
                return self.add(node, anchor);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.check_collection_tag(tag.as_deref(), "seq", span);
                return self.begin(Content::List(Vec::new()), anchor, span);
            }
            Event::MappingStart(_, anchor, tag) => {
                self.check_collection_tag(tag.as_deref(), "map", span);
                let content = Content::Map { entries: Vec::new(), seen: HashMap::new(), key: None, merged: Vec::new() };
                return self.begin(content, anchor, span);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.end(span),
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, more: usize, span: Span) -> Result<(), Stop> {
        self.nodes = self.nodes.saturating_add(more);
        if self.nodes > limits::YAML_NODES_MAX {
            return Err(self.limit(span, format!("the file has more than {} values", limits::YAML_NODES_MAX)));
        }
        Ok(())
    }

    fn check_depth(&self, more: usize, span: Span) -> Result<(), Stop> {
        if self.open.len() + more > limits::YAML_DEPTH_MAX {
            return Err(self.limit(span, too_deep()));
        }
        Ok(())
    }

    fn begin(&mut self, content: Content, anchor: usize, span: Span) -> Result<(), Stop> {
        self.check_depth(1, span)?;
        self.open.push(Open { start: span.start, anchor, content });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let kind = match open.content {
            Content::List(items) => Kind::List(items),
            Content::Map { mut entries, mut seen, merged, .. } => {
                for node in merged {
                    self.merge(&node, &mut entries, &mut seen)?;
                }
                Kind::Map(entries)
            }
        };
        // Only the closing bracket of a flow collection has a length of its own.
        let end = if span.end > span.start { span.end } else { self.last_end };
        self.add(Node { span: Span::new(open.start, end), kind }, open.anchor)
    }

    /// `<<: *base`: the members of another map, under those written here.
    fn merge(&mut self, node: &Node, entries: &mut Vec<Entry>, seen: &mut HashMap<String, Span>) -> Result<(), Stop> {
        let sources: Vec<&Node> = match &node.kind {
            Kind::Map(_) => vec![node],
            Kind::List(items) => items.iter().collect(),
            _ => Vec::new(),
        };
        if sources.is_empty() || sources.iter().any(|source| source.as_map().is_none()) {
            let message = format!("`<<` merges a map or a list of maps, not {}", node.kind_name());
            self.file.add(Mistake::new(code::PACK_WRONG_TYPE, node.span, message));
            return Ok(());
        }
        for entry in sources.into_iter().filter_map(Node::as_map).flatten() {
            if let Slot::Vacant(slot) = seen.entry(entry.key.clone()) {
                slot.insert(entry.key_span);
                self.count(entry.value.size() + 1, node.span)?;
                entries.push(entry.clone());
            }
        }
        Ok(())
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Stop> {
        self.aliases += 1;
        if self.aliases > limits::YAML_ALIASES_MAX {
            return Err(self.limit(span, format!("the file has more than {} aliases", limits::YAML_ALIASES_MAX)));
        }
        let Some(node) = self.anchors.get(&id) else {
            self.file.add(Mistake::new(code::PACK_SYNTAX, span, "an alias cannot stand inside of what it names"));
            return self.add(Node { span, kind: Kind::Null }, 0);
        };
        // Sizes are counted before anything is copied: that is what a bomb of aliases breaks on.
        let (size, depth) = (node.size(), node.depth());
        self.check_depth(depth, span)?;
        self.count(size.saturating_sub(1), span)?;
        let node = self.anchors.get(&id).cloned().unwrap_or_else(|| Node::null(span.start));
        self.add_at(node, 0, span)
    }

    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        let span = node.span;
        self.add_at(node, anchor, span)
    }

    /// Puts a node where it belongs; `span` is where it stands, which is not where it is defined if it is an alias.
    fn add_at(&mut self, node: Node, anchor: usize, span: Span) -> Result<(), Stop> {
        self.count(1, span)?;
        self.last_end = self.last_end.max(span.end);
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { key: key @ None, .. }) => *key = Some(read_key(self.file, &node, span)),
            Some(Content::Map { entries, seen, key, merged }) => match key.take() {
                Some(Key::Text(text, key_span)) => put(self.file, entries, seen, text, key_span, node),
                Some(Key::Merge) => merged.push(node),
                Some(Key::Bad) | None => {}
            },
        }
        Ok(())
    }

    fn scalar(&self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Node {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        // The place of a value that is not there is that of the token after it; the end of its key is nearer.
        let span =
            if text.is_empty() && style == Style::Plain { Span::new(self.last_end, self.last_end) } else { span };
        let wanted = tag.map(|tag| if tag.original() == "!" { Some("str") } else { tag.core_suffix() });
        if wanted == Some(Some("str")) || (wanted.is_none() && style != Style::Plain) {
            return Node { span, kind: Kind::Text(text.to_owned(), style) };
        }
        let kind = match scalar::resolve(text) {
            Ok(kind) => kind,
            Err(bad) => {
                self.file.add(Mistake::new(code::PACK_BAD_VALUE, span, bad.message).hint(bad.hint));
                scalar::stand_in(text)
            }
        };
        if let (Some(wanted), Some(tag)) = (wanted, tag) {
            let fits = match wanted {
                Some("int" | "float") => matches!(kind, Kind::Number(_)),
                Some("bool") => matches!(kind, Kind::Bool(_)),
                Some("null") => matches!(kind, Kind::Null),
                _ => false,
            };
            if !fits {
                self.bad_tag(tag, span);
            }
        }
        Node { span, kind }
    }

    fn check_collection_tag(&self, tag: Option<&Tag>, suffix: &str, span: Span) {
        if let Some(tag) = tag.filter(|tag| tag.core_suffix() != Some(suffix)) {
            self.bad_tag(tag, span);
        }
    }

    fn bad_tag(&self, tag: &Tag, span: Span) {
        let message = format!("the tag `{}` is not supported here", tag.original());
        self.file
            .add(Mistake::new(code::PACK_SYNTAX, span, message).hint("remove the tag and write the value plainly"));
    }
}

fn read_key(file: &Document<'_>, node: &Node, span: Span) -> Key {
    let mistake = match &node.kind {
        Kind::Text(text, Style::Plain) if text == "<<" => return Key::Merge,
        Kind::Text(text, _) => return Key::Text(text.clone(), span),
        // `1: …` and `on: …`: what is written is the key.
        Kind::Bool(_) | Kind::Number(_) => return Key::Text(file.source.slice(node.span).to_owned(), span),
        Kind::Null if span.start < span.end => return Key::Text(file.source.slice(node.span).to_owned(), span),
        Kind::Null => Mistake::new(code::PACK_SYNTAX, span, "a key is empty"),
        Kind::List(_) | Kind::Map(_) => {
            Mistake::new(code::PACK_SYNTAX, span, format!("a key must be a string, not {}", node.kind_name()))
                .hint("put a value that begins with `{` or `[` in quotes")
        }
    };
    file.add(mistake);
    Key::Bad
}

fn put(
    file: &Document<'_>,
    entries: &mut Vec<Entry>,
    seen: &mut HashMap<String, Span>,
    key: String,
    key_span: Span,
    value: Node,
) {
    match seen.entry(key.clone()) {
        Slot::Occupied(first) => {
            let line = file.source.position(first.get().start).line;
            let message = format!("the key `{key}` stands here a second time");
            let hint = format!("the first one is on line {line}: keep one of them");
            file.add(Mistake::new(code::PACK_DUPLICATE_KEY, key_span, message).hint(hint));
        }
        Slot::Vacant(slot) => {
            slot.insert(key_span);
            entries.push(Entry { key, key_span, value });
        }
    }
}
