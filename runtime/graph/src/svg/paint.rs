//! The colours, by what they mean. Text on its ground has a contrast of at least 4.5 to 1 in both themes.

use runner_model::Status;

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the viewer likes it; light where that is not known.
    #[default]
    Auto,
    /// Light, without a style sheet in the file.
    Light,
    /// Dark, without a style sheet in the file.
    Dark,
}

macro_rules! paints {
    ($($name:ident $word:literal $light:literal $dark:literal;)*) => {
        /// A colour by what it means.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Paint { $($name),* }

        impl Paint {
            const ALL: &'static [Self] = &[$(Self::$name),*];

            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }

            const fn light(self) -> &'static str {
                match self { $(Self::$name => $light),* }
            }

            const fn dark(self) -> &'static str {
                match self { $(Self::$name => $dark),* }
            }
        }
    };
}

paints! {
    Ground "ground" "#ffffff" "#0f151c";
    Card "card" "#f8fafc" "#18212b";
    CardLine "card-line" "#b6c2cf" "#445262";
    Text "text" "#0f172a" "#e8eef5";
    Muted "muted" "#4b5a6b" "#a3b1c0";
    Wire "wire" "#64748b" "#8896a6";
    WireTaken "wire-taken" "#0f172a" "#e8eef5";
    WireFaint "wire-faint" "#c6d0db" "#36424f";
    WireFailure "wire-failure" "#c2410c" "#fb9a5b";
    Good "good" "#15803d" "#4ade80";
    GoodGround "good-ground" "#effbf3" "#10281b";
    Bad "bad" "#b91c1c" "#fb8585";
    BadGround "bad-ground" "#fef1f1" "#321719";
    Active "active" "#1d4ed8" "#7cb1ff";
    ActiveGround "active-ground" "#eef4ff" "#14253f";
    Waiting "waiting" "#92590a" "#f5c451";
    WaitingGround "waiting-ground" "#fff8e6" "#2c2411";
    Idle "idle" "#5b6878" "#a3b1c0";
    IdleGround "idle-ground" "#f1f4f7" "#202a35";
}

impl Paint {
    pub(super) const fn colour(self, theme: Theme) -> &'static str {
        match theme {
            Theme::Auto | Theme::Light => self.light(),
            Theme::Dark => self.dark(),
        }
    }
}

/// The rules that turn a light picture dark, for a page that shows one and has its own idea of when.
#[must_use]
pub fn dark_stylesheet() -> String {
    let rule = |paint: &Paint| {
        let (name, colour) = (paint.name(), paint.dark());
        format!(".rg-f-{name}{{fill:{colour}}}.rg-s-{name}{{stroke:{colour}}}")
    };
    Paint::ALL.iter().map(rule).collect()
}

/// How a status looks: its colour, its ground, and the sign in a circle of 14 pixels around 0, 0.
pub(super) struct Look {
    pub(super) ink: Paint,
    pub(super) ground: Paint,
    pub(super) sign: &'static str,
}

impl Look {
    pub(super) const fn of(status: Status) -> Self {
        const CROSS: &str = "M-2.6 -2.6L2.6 2.6M2.6 -2.6L-2.6 2.6";
        const BARS: &str = "M-1.7 -3V3M1.7 -3V3";
        const HANDS: &str = "M0 -3.4V0L2.4 1.6";
        const DASH: &str = "M-3 0H3";
        let (ink, ground, sign) = match status {
            Status::Succeeded => (Paint::Good, Paint::GoodGround, "M-3 0.2L-0.9 2.4L3.1 -2.2"),
            Status::Failed => (Paint::Bad, Paint::BadGround, CROSS),
            Status::Timeout => (Paint::Bad, Paint::BadGround, HANDS),
            Status::Abandoned => (Paint::Bad, Paint::BadGround, "M0 -3.4V0.6M0 2.6V3.2"),
            Status::Running | Status::Resuming => (Paint::Active, Paint::ActiveGround, "M-1.4 -2.8L2.6 0L-1.4 2.8Z"),
            Status::Pending => {
                (Paint::Waiting, Paint::WaitingGround, "M-2 -1.4C-2 -4 2 -4 2 -1.4C2 0 0 0 0 1.2M0 3V3.4")
            }
            Status::Paused | Status::Pausing => (Paint::Waiting, Paint::WaitingGround, BARS),
            Status::Delayed | Status::Retrying => (Paint::Waiting, Paint::WaitingGround, HANDS),
            Status::Canceled | Status::Canceling => (Paint::Idle, Paint::IdleGround, "M-2.6 2.6L2.6 -2.6"),
            Status::Skipped => (Paint::Idle, Paint::IdleGround, "M-3 -2.6L0 0L-3 2.6M0.4 -2.6L3.4 0L0.4 2.6"),
            Status::Requested | Status::Scheduled => (Paint::Idle, Paint::IdleGround, DASH),
        };
        Self { ink, ground, sign }
    }
}
