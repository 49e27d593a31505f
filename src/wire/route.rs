//! Routes tell the parts of a mixed workload apart by method and path.

/// Appends the route of a request to `out`: the method and the path without scheme, authority and
/// query, with path segments that are all digits folded to `:n` (`GET /hotels/:n/rooms`).
pub fn fold_route(method: &str, target: &str, out: &mut String) {
    out.push_str(method);
    out.push(' ');
    let path = path_of(target);
    if !path.bytes().any(|byte| byte.is_ascii_digit()) {
        out.push_str(path);
        return;
    }
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            out.push('/');
        }
        let is_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
        out.push_str(if is_number { ":n" } else { segment });
    }
}

fn path_of(target: &str) -> &str {
    let after_authority = match target.find("://") {
        // An address inside the query (`/go?to=http://...`) is not the target's own scheme.
        Some(scheme) if !target[..scheme].contains(['/', '?']) => {
            let authority = &target[scheme + 3..];
            authority
                .find(['/', '?'])
                .map_or("/", |path| &authority[path..])
        }
        _ => target,
    };
    let path = after_authority.split(['?', '#']).next().unwrap_or_default();
    if path.is_empty() { "/" } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, target: &str) -> String {
        let mut out = String::new();
        fold_route(method, target, &mut out);
        out
    }

    #[test]
    fn query_and_host_do_not_make_a_route() {
        assert_eq!(route("GET", "/hotels?inDate=1&lat=2"), "GET /hotels");
        assert_eq!(
            route("GET", "http://localhost:5000/hotels?x=1"),
            "GET /hotels"
        );
        assert_eq!(route("GET", "http://localhost:5000"), "GET /");
        assert_eq!(route("GET", "http://localhost?x=/y"), "GET /");
        assert_eq!(route("GET", "/go?to=http://a/b"), "GET /go");
        assert_eq!(route("OPTIONS", "*"), "OPTIONS *");
    }

    #[test]
    fn numbers_in_the_path_are_folded() {
        assert_eq!(
            route("GET", "/users/4711/posts/9"),
            "GET /users/:n/posts/:n"
        );
        assert_eq!(route("GET", "/v2/a1b"), "GET /v2/a1b");
        assert_eq!(route("GET", "//1/"), "GET //:n/");
    }
}
