//! The routes of a run: at most 64 names, by number on the hot path.

use std::collections::HashMap;

/// A route's number within one worker.
pub type RouteId = u32;

/// Routes beyond this many share one name.
const MOST: usize = 64;
const OTHER: &str = "(other)";
/// Requests that were never generated; without it the tails of the routes would forget them.
const UNSENT: &str = "(unsent)";

/// Names of routes and their numbers.
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
    /// The number of the requests that were never generated.
    pub const UNSENT: RouteId = 1;

    /// The number of a name, new names included.
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

    /// All names, by number.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The name of a number.
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
