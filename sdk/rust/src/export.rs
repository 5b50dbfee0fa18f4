//! The macros that make a component of a crate.

/// Makes a component of a pack's actions: the crate's one place that lists them.
///
/// An action of another module is imported, or named by its path: `export!(volumes::grow)`. Where a module has the same name
/// as its action, only the path will do.
///
/// It also defines `ACTIONS`, the list, so that a test can compare it with the metadata.
///
/// ```
/// use runner_sdk::prelude::*;
///
/// #[action]
/// fn ping() -> Result<String> {
///     Ok("pong".to_owned())
/// }
///
/// runner_sdk::export!(ping);
/// # fn main() {
/// assert_eq!(ACTIONS[0].name, "ping");
/// # }
/// ```
#[macro_export]
macro_rules! export {
    ($($action:path),+ $(,)?) => {
        /// The actions of this component.
        pub const ACTIONS: &[$crate::Entry] = &[$($crate::Entry::of::<$action>()),+];

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Component;

            impl $crate::bindings::action::Guest for Component {
                fn run(
                    action: ::std::string::String,
                    input: ::std::string::String,
                ) -> ::core::result::Result<
                    ::std::string::String,
                    $crate::bindings::action::runner::plugin::types::Failure,
                > {
                    $crate::bindings::log_panics();
                    $crate::action::dispatch(ACTIONS, &action, &input).map_err($crate::bindings::failure)
                }
            }

            $crate::bindings::action::export!(Component with_types_in $crate::bindings::action);
        };
    };
}

/// Makes a component of a pack's sensors. A sensor is named as its function. See [`sensor`](crate::sensor).
#[macro_export]
macro_rules! export_sensor {
    ($($sensor:ident),+ $(,)?) => {
        #[doc(hidden)]
        pub fn poll_sensor(
            sensor: &str,
            cursor: ::core::option::Option<&str>,
        ) -> $crate::Result<$crate::sensor::Polled> {
            match sensor {
                $(::core::stringify!($sensor) => $crate::sensor::run($sensor, cursor),)+
                _ => $crate::sensor::unknown(sensor),
            }
        }

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Component;

            impl $crate::bindings::sensor::Guest for Component {
                fn poll(
                    sensor: ::std::string::String,
                    cursor: ::core::option::Option<::std::string::String>,
                ) -> ::core::result::Result<
                    $crate::bindings::sensor::Polled,
                    $crate::bindings::action::runner::plugin::types::Failure,
                > {
                    $crate::bindings::log_panics();
                    poll_sensor(&sensor, cursor.as_deref()).map($crate::sensor::to_wit).map_err($crate::bindings::failure)
                }
            }

            $crate::bindings::sensor::export!(Component with_types_in $crate::bindings::sensor);
        };
    };
}

/// Makes a component of a simulator: of a function that makes one. See [`simulator`](crate::simulator).
#[macro_export]
macro_rules! export_simulator {
    ($make:path) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Component;

            ::std::thread_local! {
                // One instance of the component is one simulated system: this is all of its state.
                static SIMULATOR: ::core::cell::RefCell<$crate::simulator::Boxed> =
                    ::core::cell::RefCell::new($crate::simulator::boxed($make()));
            }

            impl $crate::bindings::simulator::Guest for Component {
                fn handle(request: $crate::bindings::simulator::Request) -> $crate::bindings::simulator::Reply {
                    $crate::bindings::log_panics();
                    let request = $crate::simulator::from_wit(request);
                    let reply = SIMULATOR.with(|simulator| simulator.borrow_mut().handle(&request));
                    $crate::simulator::to_wit(reply)
                }
            }

    $crate::bindings::simulator::export!(Component with_types_in $crate::bindings::simulator);
        };

        // On other targets only its type is checked.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> $crate::simulator::Boxed = || $crate::simulator::boxed($make());
    };
}
