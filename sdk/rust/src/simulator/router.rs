//! A small router: method and path to a handler, over one state.

use super::{Reply, Request, Simulator};

type Handler<S> = Box<dyn Fn(&mut S, &Request) -> Reply>;
type Before<S> = Box<dyn Fn(&mut S, &Request) -> Option<Reply>>;

/// Routes over one state. Paths are patterns: `{name}` stands for one segment.
///
/// An unknown path is answered with 404, a known one with another method with 405.
pub struct Router<S> {
    state: S,
    before: Vec<Before<S>>,
    routes: Vec<Route<S>>,
}

struct Route<S> {
    method: &'static str,
    pattern: &'static str,
    handler: Handler<S>,
}

impl<S> Router<S> {
    /// A router without routes.
    #[must_use]
    pub fn new(state: S) -> Self {
        Self { state, before: Vec::new(), routes: Vec::new() }
    }

    /// Adds something that looks at each request first, and may answer it: authentication, faults on request.
    #[must_use]
    pub fn before(mut self, check: impl Fn(&mut S, &Request) -> Option<Reply> + 'static) -> Self {
        self.before.push(Box::new(check));
        self
    }

    /// Adds a route.
    #[must_use]
    pub fn on<R: Into<Reply>>(
        mut self,
        method: &'static str,
        pattern: &'static str,
        handler: impl Fn(&mut S, &Request) -> R + 'static,
    ) -> Self {
        let handler: Handler<S> = Box::new(move |state, request| handler(state, request).into());
        self.routes.push(Route { method, pattern, handler });
        self
    }

    /// Adds a route for `GET`.
    #[must_use]
    pub fn get<R: Into<Reply>>(self, path: &'static str, handler: impl Fn(&mut S, &Request) -> R + 'static) -> Self {
        self.on("GET", path, handler)
    }

    /// Adds a route for `POST`.
    #[must_use]
    pub fn post<R: Into<Reply>>(self, path: &'static str, handler: impl Fn(&mut S, &Request) -> R + 'static) -> Self {
        self.on("POST", path, handler)
    }

    /// Adds a route for `PUT`.
    #[must_use]
    pub fn put<R: Into<Reply>>(self, path: &'static str, handler: impl Fn(&mut S, &Request) -> R + 'static) -> Self {
        self.on("PUT", path, handler)
    }

    /// Adds a route for `PATCH`.
    #[must_use]
    pub fn patch<R: Into<Reply>>(self, path: &'static str, handler: impl Fn(&mut S, &Request) -> R + 'static) -> Self {
        self.on("PATCH", path, handler)
    }

    /// Adds a route for `DELETE`.
    #[must_use]
    pub fn delete<R: Into<Reply>>(self, path: &'static str, handler: impl Fn(&mut S, &Request) -> R + 'static) -> Self {
        self.on("DELETE", path, handler)
    }
}

impl<S> Simulator for Router<S> {
    fn handle(&mut self, request: &Request) -> Reply {
        for check in &self.before {
            if let Some(reply) = check(&mut self.state, request) {
                return reply;
            }
        }
        let mut path_is_known = false;
        for route in &self.routes {
            let Some(params) = matched(route.pattern, &request.path) else { continue };
            if route.method == request.method {
                let request = Request { params, ..request.clone() };
                return (route.handler)(&mut self.state, &request);
            }
            path_is_known = true;
        }
        let (status, what) = if path_is_known { (405, "no such method") } else { (404, "no such path") };
        Reply::json(status, &serde_json::json!({ "error": format!("{what}: {} {}", request.method, request.path) }))
    }
}

/// The segments that stand for names, if the path fits the pattern.
fn matched(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
    let mut params = Vec::new();
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        let segment = segments.next()?;
        match wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => params.push((name.to_owned(), decoded(segment).filter(|text| !text.is_empty())?)),
            None if wanted == segment => {}
            None => return None,
        }
    }
    segments.next().is_none().then_some(params)
}

/// A segment without its percent-encoding, if that is valid.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(digit(rest.next())? * 16 + digit(rest.next())?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::super::Ending;
    use super::*;

    fn counter() -> Router<u32> {
        Router::new(0)
            .before(|_, request| request.query("fail").map(|_| Reply::dropped()))
            .get("/v1/things/{name}", |count, request| {
                *count += 1;
                Reply::text(200, format!("{} {count}", request.param("name")))
            })
            .post("/v1/things", |_, request| -> Result<Reply, Reply> {
                let name: String = request.json()?;
                Ok(Reply::text(201, name))
            })
    }

    fn answer(router: &mut Router<u32>, method: &str, path: &str, body: &str) -> (u16, String) {
        let request = Request { body: body.as_bytes().to_vec(), ..Request::new(method, path) };
        match router.handle(&request).ending {
            Ending::Response { status, body, .. } => (status, String::from_utf8(body).unwrap()),
            Ending::Dropped => (0, String::new()),
        }
    }

    #[test]
    fn a_route_is_found_and_its_state_is_kept() {
        let mut router = counter();
        assert_eq!(answer(&mut router, "GET", "/v1/things/a%2Fb", ""), (200, "a/b 1".to_owned()));
        assert_eq!(answer(&mut router, "GET", "/v1/things/c", ""), (200, "c 2".to_owned()));
        assert_eq!(answer(&mut router, "POST", "/v1/things", "\"new\"").0, 201);
        assert_eq!(answer(&mut router, "POST", "/v1/things", "{").0, 400);
    }

    #[test]
    fn what_is_not_routed_is_answered_as_by_a_server() {
        let mut router = counter();
        for (method, path, status) in [
            ("GET", "/v1/things", 405),
            ("DELETE", "/v1/things/a", 405),
            ("GET", "/v1/things/a/b", 404),
            ("GET", "/v1/things/", 404),
            ("GET", "/v1/things/%zz", 404),
            ("GET", "/", 404),
        ] {
            assert_eq!(answer(&mut router, method, path, "").0, status, "{method} {path}");
        }
    }

    #[test]
    fn a_check_may_answer_first() {
        let mut request = Request::new("GET", "/v1/things/a");
        request.query.push(("fail".to_owned(), "1".to_owned()));
        assert_eq!(counter().handle(&request).ending, Ending::Dropped);
    }

    #[test]
    fn basic_authentication_is_read() {
        let mut request = Request::new("GET", "/");
        assert_eq!(request.basic_auth(), None);
        request.headers.push(("authorization".to_owned(), "Basic YWRtaW46czpjcmV0".to_owned()));
        assert_eq!(request.basic_auth(), Some(("admin".to_owned(), "s:cret".to_owned())));
    }
}
