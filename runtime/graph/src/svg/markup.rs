//! Writes elements. The one place where text enters the file, and where it is escaped.

use super::SvgOptions;
use super::paint::{Paint, Theme, dark_stylesheet};
use crate::text::{Face, is_measured, line, lines};

/// A document that is being written.
pub(super) struct Markup {
    text: String,
    open: Vec<&'static str>,
    /// Whether the start tag of the last element still takes attributes.
    in_tag: bool,
    theme: Theme,
    pub(super) id_prefix: String,
}

impl Markup {
    pub(super) fn new(options: &SvgOptions) -> Self {
        let theme = options.theme;
        Self { text: String::new(), open: Vec::new(), in_tag: false, theme, id_prefix: options.id_prefix.clone() }
    }

    /// Begins an element.
    pub(super) fn open(&mut self, name: &'static str) -> &mut Self {
        self.end_tag();
        if self.open.len() <= 3 && !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push('<');
        self.text.push_str(name);
        self.open.push(name);
        self.in_tag = true;
        self
    }

    pub(super) fn attribute(&mut self, name: &str, value: f64) -> &mut Self {
        self.text_attribute(name, &number(value))
    }

    pub(super) fn text_attribute(&mut self, name: &str, value: &str) -> &mut Self {
        self.text.push_str(&format!(" {name}=\"{}\"", escaped(&line(value))));
        self
    }

    /// The colour of the inside.
    pub(super) fn fill(&mut self, paint: Paint) -> &mut Self {
        self.paint("fill", paint)
    }

    /// The colour and the width of the line.
    pub(super) fn stroke(&mut self, paint: Paint, width: f64) -> &mut Self {
        self.paint("stroke", paint).attribute("stroke-width", width)
    }

    fn paint(&mut self, what: &str, paint: Paint) -> &mut Self {
        self.text_attribute(what, paint.colour(self.theme))
    }

    /// The classes by which a page finds the element, and those of its colours.
    pub(super) fn class(&mut self, own: &str, fill: Option<Paint>, stroke: Option<Paint>) -> &mut Self {
        let mut classes: Vec<String> = own.split_whitespace().map(|name| format!("rg-{name}")).collect();
        classes.extend(fill.map(|paint| format!("rg-f-{}", paint.name())));
        classes.extend(stroke.map(|paint| format!("rg-s-{}", paint.name())));
        self.text_attribute("class", &classes.join(" "))
    }

    /// Text inside the element.
    pub(super) fn content(&mut self, text: &str) -> &mut Self {
        self.end_tag();
        self.text.push_str(&escaped(&lines(text)));
        self
    }

    /// Ends the innermost element.
    pub(super) fn close(&mut self) -> &mut Self {
        let Some(name) = self.open.pop() else { return self };
        if self.in_tag {
            self.text.push_str("/>");
            self.in_tag = false;
        } else {
            self.text.push_str(&format!("</{name}>"));
        }
        self
    }

    /// What a viewer shows when pointed at.
    pub(super) fn tooltip(&mut self, text: &str) -> &mut Self {
        self.open("title").content(text).close()
    }

    /// A line of text. What the table of widths does not know is squeezed into the width that was reckoned with.
    pub(super) fn words(&mut self, text: &str, face: Face, x: f64, y: f64, paint: Paint) -> &mut Self {
        self.open("text").attribute("x", x).attribute("y", y);
        self.letters(text, face, paint)
    }

    /// A line of text around 0.
    pub(super) fn words_in_the_middle(&mut self, text: &str, face: Face, y: f64, paint: Paint) -> &mut Self {
        self.open("text").attribute("y", y).text_attribute("text-anchor", "middle");
        self.letters(text, face, paint)
    }

    fn letters(&mut self, text: &str, face: Face, paint: Paint) -> &mut Self {
        self.attribute("font-size", face.size);
        if face.bold {
            self.text_attribute("font-weight", "600");
        }
        if !is_measured(text) {
            self.attribute("textLength", face.width(text)).text_attribute("lengthAdjust", "spacingAndGlyphs");
        }
        self.class("", Some(paint), None).fill(paint).content(text).close()
    }

    /// The style sheet for those who like it dark.
    pub(super) fn stylesheet(&mut self) {
        if self.theme == Theme::Auto {
            let rules = format!("@media (prefers-color-scheme: dark) {{{}}}", dark_stylesheet());
            self.open("style").content(&rules).close();
        }
    }

    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text.push('\n');
        self.text
    }

    fn end_tag(&mut self) {
        if self.in_tag {
            self.text.push('>');
            self.in_tag = false;
        }
    }
}

/// A number with at most one decimal.
pub(super) fn number(value: f64) -> String {
    let written = format!("{value:.1}");
    let short = written.strip_suffix(".0").unwrap_or(&written);
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

/// The attribute value that moves a group.
pub(super) fn moved(x: f64, y: f64) -> String {
    format!("translate({} {})", number(x), number(y))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
