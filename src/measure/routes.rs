//! The routes of a worker. The hot path knows a route by its number; names are looked up once.

use std::collections::HashMap;

/// The number of a route. Numbers differ between workers, names do not.
pub type RouteId = u32;

/// The number of routes that get a name of their own. A script can make up any number of them, and each
/// costs two histograms.
const MOST: usize = 64;
const OTHER: &str = "(other)";
/// The route of requests that were due and never generated, whose own route is therefore not known.
const UNSENT: &str = "(unsent)";

/// The names of routes and their numbers.
#[derive(Debug, Clone)]
pub struct Routes {
    names: Vec<String>,
    ids: HashMap<String, RouteId>,
}

impl Default for Routes {
    fn default() -> Routes {
        let mut routes = Routes {
            names: Vec::new(),
            ids: HashMap::new(),
        };
        routes.add(OTHER);
        routes.add(UNSENT);
        routes
    }
}

impl Routes {
    /// The number that stands for all routes beyond the first 64.
    pub const OTHER: RouteId = 0;
    /// The number of the route of requests that were due and never generated.
    pub const UNSENT: RouteId = 1;

    /// The number of a name. A new name gets a number, or [`Routes::OTHER`] once there are 64 names.
    #[inline]
    pub fn id(&mut self, name: &str) -> RouteId {
        match self.ids.get(name) {
            Some(id) => *id,
            None if self.names.len() < MOST + 2 => self.add(name),
            None => Routes::OTHER,
        }
    }

    fn add(&mut self, name: &str) -> RouteId {
        let id = self.names.len() as RouteId;
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), id);
        id
    }

    /// All names; the index of a name is its number.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of the route with this number; `(other)` for a number that was never given.
    pub fn name(&self, id: RouteId) -> &str {
        self.names.get(id as usize).map_or(OTHER, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixty_fifth_route_is_other() {
        let mut routes = Routes::default();
        let first = routes.id("GET /0");
        for n in 1..64 {
            routes.id(&format!("GET /{n}"));
        }
        assert_eq!(routes.id("GET /64"), Routes::OTHER);
        assert_eq!(routes.id("GET /0"), first);
        assert_eq!(routes.name(first), "GET /0");
        assert_eq!(routes.name(Routes::UNSENT), "(unsent)");
    }
}
