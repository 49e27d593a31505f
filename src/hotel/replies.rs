//! The frontend's replies: status, headers and body for a path and a query.
//!
//! Replies depend on nothing else: a reservation takes no room away, so every run finds the same
//! hotels. The method does not matter, as in the Go frontend, whose texts and headers these are.

use super::data::Hotels;
use super::query::Query;
use super::users::is_user;
use bytes::Bytes;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response, StatusCode};

/// How many hotels a reply names unless the query has a `limit`; the frontend's own number.
const FEW: usize = 5;

const LOGGED_IN: &str = "{\"message\":\"Login successfully!\"}\n";
const RESERVED: &str = "{\"message\":\"Reserve successfully!\"}\n";
const WRONG_USER: &str = "{\"message\":\"Failed. Please check your username and password. \"}\n";
const FULLY_BOOKED: &str = "{\"message\":\"Failed. Already reserved. \"}\n";

const NEED_DATES: &str = "Please specify inDate/outDate params\n";
const NEED_DATE_FORMAT: &str = "Please check inDate/outDate format (YYYY-MM-DD)\n";
const NEED_LOCATION: &str = "Please specify location params\n";
const NEED_REQUIRE: &str = "Please specify require params\n";
const NEED_USER: &str = "Please specify username and password\n";
const NEED_HOTEL: &str = "Please specify hotelId params\n";
const NEED_CUSTOMER: &str = "Please specify customerName params\n";

const NOT_FOUND: &str = "404 page not found\n";
const DOWNSTREAM_TROUBLE: &str = "rpc error: code = Unavailable desc = connection error: desc = \
    \"transport: Error while dialing: dial tcp: connect: connection refused\"\n";

const INDEX: &str = include_str!("index.html");

/// Everything that can be answered, for the hotels of one seed.
pub(super) struct Replies {
    hotels: Hotels,
    best_rated: Bytes,
    cheapest: Bytes,
}

impl Replies {
    pub(super) fn new(hotels: Hotels) -> Replies {
        Replies {
            best_rated: hotels.best_rated(FEW),
            cheapest: hotels.cheapest(FEW),
            hotels,
        }
    }

    /// The reply to a request for `path` with the query after its `?`, if it had one.
    pub(super) fn to(&self, path: &str, query: Option<&str>) -> Response<Bytes> {
        let query = Query::new(query);
        let answer = match path {
            "/hotels" => self.hotels(query),
            "/recommendations" => self.recommendations(query),
            "/user" => user(query),
            "/reservation" => self.reservation(query),
            "/" => return index(),
            _ => return refusal(StatusCode::NOT_FOUND, NOT_FOUND),
        };
        let mut reply = match answer {
            Ok(body) => success(body),
            Err(missing) => refusal(StatusCode::BAD_REQUEST, missing),
        };
        allow_every_origin(&mut reply);
        reply
    }

    fn hotels(&self, query: Query) -> Result<Bytes, &'static str> {
        need(query.has(&["inDate", "outDate"]), NEED_DATES)?;
        need(query.has(&["lat", "lon"]), NEED_LOCATION)?;
        // The frontend has no such parameter; it is here to try bodies of other sizes.
        let limit = query.get("limit").and_then(|limit| limit.parse().ok());
        Ok(self.nearest(query, limit.unwrap_or(FEW)))
    }

    fn recommendations(&self, query: Query) -> Result<Bytes, &'static str> {
        need(query.has(&["lat", "lon"]), NEED_LOCATION)?;
        match query.get("require").as_deref() {
            Some("dis") => Ok(self.nearest(query, FEW)),
            Some("rate") => Ok(self.best_rated.clone()),
            Some("price") => Ok(self.cheapest.clone()),
            _ => Err(NEED_REQUIRE),
        }
    }

    fn nearest(&self, query: Query, count: usize) -> Bytes {
        self.hotels
            .nearest(query.number("lat"), query.number("lon"), count)
    }

    fn reservation(&self, query: Query) -> Result<Bytes, &'static str> {
        let (Some(from), Some(to)) = (query.get("inDate"), query.get("outDate")) else {
            return Err(NEED_DATES);
        };
        need(is_date(&from) && is_date(&to), NEED_DATE_FORMAT)?;
        let hotel = query.get("hotelId").ok_or(NEED_HOTEL)?;
        need(query.has(&["customerName"]), NEED_CUSTOMER)?;
        let message = match (credentials(query)?, self.hotels.knows(&hotel)) {
            (false, _) => WRONG_USER,
            (true, false) => FULLY_BOOKED,
            (true, true) => RESERVED,
        };
        Ok(Bytes::from_static(message.as_bytes()))
    }
}

/// The reply when a service behind the frontend fails: 500 with the error's text.
pub(super) fn downstream_error() -> Response<Bytes> {
    let mut reply = refusal(StatusCode::INTERNAL_SERVER_ERROR, DOWNSTREAM_TROUBLE);
    allow_every_origin(&mut reply);
    reply
}

fn user(query: Query) -> Result<Bytes, &'static str> {
    let message = if credentials(query)? {
        LOGGED_IN
    } else {
        WRONG_USER
    };
    Ok(Bytes::from_static(message.as_bytes()))
}

/// Whether the query names a user and the right password.
fn credentials(query: Query) -> Result<bool, &'static str> {
    match (query.get("username"), query.get("password")) {
        (Some(name), Some(password)) => Ok(is_user(&name, &password)),
        _ => Err(NEED_USER),
    }
}

/// `2015-04-09`: four, two and two digits; the frontend looks no closer.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn need(is_there: bool, complaint: &'static str) -> Result<(), &'static str> {
    if is_there { Ok(()) } else { Err(complaint) }
}

const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Go guesses the type from the first bytes of the body, and takes JSON for plain text.
fn success(body: Bytes) -> Response<Bytes> {
    let mut reply = Response::new(body);
    reply.headers_mut().insert(CONTENT_TYPE, PLAIN);
    reply
}

fn refusal(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut reply = success(Bytes::from_static(text.as_bytes()));
    *reply.status_mut() = status;
    let nosniff = HeaderValue::from_static("nosniff");
    reply.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, nosniff);
    reply
}

fn index() -> Response<Bytes> {
    let mut reply = Response::new(Bytes::from_static(INDEX.as_bytes()));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    reply.headers_mut().insert(CONTENT_TYPE, html);
    reply
}

fn allow_every_origin(reply: &mut Response<Bytes>) {
    let every = HeaderValue::from_static("*");
    reply
        .headers_mut()
        .insert(ACCESS_CONTROL_ALLOW_ORIGIN, every);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn get(path: &str, query: &str) -> (u16, String) {
        let reply = Replies::new(Hotels::generate(1)).to(path, Some(query));
        let body = String::from_utf8(reply.body().to_vec()).unwrap();
        (reply.status().as_u16(), body)
    }

    fn ids(body: &str) -> Vec<String> {
        let body: Value = serde_json::from_str(body).unwrap();
        let features = body["features"].as_array().unwrap();
        features
            .iter()
            .map(|feature| feature["id"].as_str().unwrap().to_owned())
            .collect()
    }

    const DATES: &str = "inDate=2015-04-09&outDate=2015-04-11";
    const PLACE: &str = "lat=38.0235&lon=-122.095";
    const USER: &str = "username=Cornell_42&password=42424242424242424242";

    #[test]
    fn a_search_finds_the_five_nearest_hotels() {
        let (status, body) = get("/hotels", &format!("{DATES}&{PLACE}"));
        assert_eq!((status, ids(&body).len()), (200, 5));
        assert!(body.len() < 2048, "{} bytes", body.len());
        assert_eq!(get("/hotels", &format!("{DATES}&{PLACE}")).1, body);
        assert_ne!(
            get("/hotels", &format!("{DATES}&lat=37.7&lon=-122.4")).1,
            body
        );
    }

    #[test]
    fn a_limit_makes_the_body_larger() {
        let (status, body) = get("/hotels", &format!("{DATES}&{PLACE}&limit=80"));
        assert_eq!((status, ids(&body).len()), (200, 80));
    }

    #[test]
    fn a_search_needs_dates_and_a_place() {
        assert_eq!(get("/hotels", PLACE), (400, NEED_DATES.to_owned()));
        assert_eq!(
            get("/hotels", &format!("inDate=&outDate=2015-04-11&{PLACE}")),
            (400, NEED_DATES.to_owned())
        );
        assert_eq!(get("/hotels", DATES), (400, NEED_LOCATION.to_owned()));
    }

    #[test]
    fn recommendations_go_by_distance_rating_or_price() {
        let by = |require: &str| get("/recommendations", &format!("require={require}&{PLACE}"));
        let bodies: Vec<String> = ["dis", "rate", "price"]
            .map(|require| {
                let (status, body) = by(require);
                assert_eq!((status, ids(&body).len()), (200, 5), "{require}");
                body
            })
            .into();
        assert!(bodies[0] != bodies[1] && bodies[1] != bodies[2]);
        assert_eq!(by("luxury"), (400, NEED_REQUIRE.to_owned()));
        assert_eq!(
            get("/recommendations", PLACE),
            (400, NEED_REQUIRE.to_owned())
        );
        assert_eq!(
            get("/recommendations", "require=dis"),
            (400, NEED_LOCATION.to_owned())
        );
    }

    #[test]
    fn a_wrong_password_fails_although_the_status_is_good() {
        assert_eq!(get("/user", USER), (200, LOGGED_IN.to_owned()));
        let wrong = "username=Cornell_42&password=42";
        assert_eq!(get("/user", wrong), (200, WRONG_USER.to_owned()));
        for query in ["", "username=Cornell_42", "password=1"] {
            assert_eq!(get("/user", query), (400, NEED_USER.to_owned()), "{query}");
        }
    }

    fn reserve(hotel: &str, user: &str) -> (u16, String) {
        let rest = "customerName=Cornell_42&number=1";
        get(
            "/reservation",
            &format!("{DATES}&{PLACE}&hotelId={hotel}&{user}&{rest}"),
        )
    }

    #[test]
    fn a_reservation_needs_a_true_user_and_a_known_hotel() {
        assert_eq!(reserve("80", USER), (200, RESERVED.to_owned()));
        assert_eq!(reserve("81", USER), (200, FULLY_BOOKED.to_owned()));
        let wrong = "username=Cornell_42&password=1";
        assert_eq!(reserve("80", wrong), (200, WRONG_USER.to_owned()));
    }

    #[test]
    fn a_reservation_says_which_parameter_is_missing() {
        let whole = format!("{DATES}&hotelId=1&customerName=x&{USER}");
        for (leave_out, complaint) in [
            ("inDate=2015-04-09", NEED_DATES),
            ("outDate=2015-04-11", NEED_DATES),
            ("hotelId=1", NEED_HOTEL),
            ("customerName=x", NEED_CUSTOMER),
            ("username=Cornell_42", NEED_USER),
        ] {
            let query = whole.replace(leave_out, "");
            assert_eq!(get("/reservation", &query), (400, complaint.to_owned()));
        }
        let odd = whole.replace("2015-04-09", "9.4.2015..");
        assert_eq!(
            get("/reservation", &odd),
            (400, NEED_DATE_FORMAT.to_owned())
        );
    }

    #[test]
    fn the_front_page_is_html_and_other_paths_are_not_found() {
        let replies = Replies::new(Hotels::generate(1));
        let page = replies.to("/", None);
        assert_eq!(page.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
        for path in ["/hotel", "/hotels/", "", "*"] {
            let reply = replies.to(path, None);
            assert_eq!(reply.status(), StatusCode::NOT_FOUND);
            assert_eq!(reply.body(), NOT_FOUND);
            assert!(!reply.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        }
    }

    #[test]
    fn replies_carry_the_headers_of_the_go_frontend() {
        let replies = Replies::new(Hotels::generate(1));
        let good = replies.to("/user", Some(USER));
        assert_eq!(good.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(good.headers()[CONTENT_TYPE], "text/plain; charset=utf-8");
        assert!(!good.headers().contains_key(X_CONTENT_TYPE_OPTIONS));
        for bad in [replies.to("/user", None), downstream_error()] {
            assert_eq!(bad.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
            assert_eq!(bad.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
        }
    }
}
