//! The eighty hotels, with names, places, ratings and prices that follow from a seed.
//!
//! The JSON of every hotel is rendered once at the start; a request only selects and joins.

use bytes::Bytes;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// How many hotels there are; their ids are "1" ..= "80".
pub(super) const HOTELS: usize = 80;

/// The south-western corner of the region that the mix asks about, and its height and width, in
/// degrees of latitude and longitude.
const CORNER: (f64, f64) = (37.7, -122.4);
const EXTENT: (f64, f64) = (0.56, 0.63);

const FIRST_NAMES: [&str; 8] = [
    "Grand", "Harbour", "Golden", "Mission", "Pacific", "Union", "Presidio", "Sunset",
];
const LAST_NAMES: [&str; 10] = [
    "Arms", "Court", "House", "Inn", "Lodge", "Palace", "Plaza", "Regent", "Suites", "Terrace",
];

/// One hotel, with its GeoJSON feature already rendered.
#[derive(Debug, Clone, PartialEq)]
struct Hotel {
    latitude: f64,
    longitude: f64,
    /// Guests' rating, 0 ..= 10.
    rating: f64,
    /// Dollars a night.
    price: f64,
    feature: Bytes,
}

/// All hotels of one seed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hotels {
    hotels: Vec<Hotel>,
}

impl Hotels {
    /// The same seed gives the same hotels, on every machine.
    pub(super) fn generate(seed: u64) -> Hotels {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut names: Vec<String> = FIRST_NAMES
            .iter()
            .flat_map(|first| LAST_NAMES.iter().map(move |last| format!("{first} {last}")))
            .collect();
        names.shuffle(&mut rng);
        let hotels = names
            .iter()
            .zip(1..=HOTELS)
            .map(|(name, id)| Hotel::generate(id, name, &mut rng))
            .collect();
        Hotels { hotels }
    }

    /// Whether a hotel has this id, spelt without leading zeros.
    pub(super) fn knows(&self, id: &str) -> bool {
        !id.starts_with(['0', '+'])
            && id
                .parse()
                .is_ok_and(|id: usize| (1..=self.hotels.len()).contains(&id))
    }

    /// The body with the `count` hotels nearest to a point in degrees, the nearest first.
    pub(super) fn nearest(&self, latitude: f64, longitude: f64, count: usize) -> Bytes {
        // A degree of longitude is shorter than one of latitude; over half a degree the earth is
        // flat enough for a plane.
        let shrink = CORNER.0.to_radians().cos();
        self.collection(count, |hotel| {
            let north = hotel.latitude - latitude;
            let east = (hotel.longitude - longitude) * shrink;
            north * north + east * east
        })
    }

    /// The body with the `count` hotels that guests rate best.
    pub(super) fn best_rated(&self, count: usize) -> Bytes {
        self.collection(count, |hotel| -hotel.rating)
    }

    /// The body with the `count` cheapest hotels.
    pub(super) fn cheapest(&self, count: usize) -> Bytes {
        self.collection(count, |hotel| hotel.price)
    }

    /// A feature collection of the `count` hotels with the smallest keys, in their order; among
    /// equals the smaller id comes first.
    fn collection(&self, count: usize, key: impl Fn(&Hotel) -> f64) -> Bytes {
        let mut ranked: Vec<(f64, usize)> = self.hotels.iter().map(key).zip(0..).collect();
        let order = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        let count = count.min(ranked.len());
        if (1..ranked.len()).contains(&count) {
            ranked.select_nth_unstable_by(count - 1, order);
        }
        ranked.truncate(count);
        ranked.sort_unstable_by(order);
        let features = || ranked.iter().map(|(_, index)| &self.hotels[*index].feature);

        const OPEN: &[u8] = b"{\"features\":[";
        const CLOSE: &[u8] = b"],\"type\":\"FeatureCollection\"}\n";
        let length: usize = features().map(|feature| feature.len() + 1).sum();
        let mut body = Vec::with_capacity(OPEN.len() + length + CLOSE.len());
        body.extend_from_slice(OPEN);
        for (position, feature) in features().enumerate() {
            if position > 0 {
                body.push(b',');
            }
            body.extend_from_slice(feature);
        }
        body.extend_from_slice(CLOSE);
        Bytes::from(body)
    }
}

impl Hotel {
    fn generate(id: usize, name: &str, rng: &mut Xoshiro256PlusPlus) -> Hotel {
        let latitude = round(CORNER.0 + EXTENT.0 * rng.random::<f64>(), 1e4);
        let longitude = round(CORNER.1 + EXTENT.1 * rng.random::<f64>(), 1e4);
        let rating = round(rng.random_range(5.0..10.0), 1e1);
        let price = round(rng.random_range(80.0..400.0), 1e2);
        let phone = format!("(415) 555-{:04}", rng.random_range(0..10_000));
        // serde_json sorts keys, as Go's encoder does with the frontend's maps.
        let feature = serde_json::json!({
            "type": "Feature",
            "id": id.to_string(),
            "properties": { "name": name, "phone_number": phone },
            "geometry": { "type": "Point", "coordinates": [longitude, latitude] },
        });
        Hotel {
            latitude,
            longitude,
            rating,
            price,
            feature: Bytes::from(feature.to_string()),
        }
    }
}

fn round(amount: f64, scale: f64) -> f64 {
    (amount * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn features(body: &Bytes) -> Vec<Value> {
        let body: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(body["type"], "FeatureCollection");
        body["features"].as_array().unwrap().clone()
    }

    #[test]
    fn a_seed_always_opens_the_same_hotels_and_another_seed_others() {
        assert_eq!(Hotels::generate(7), Hotels::generate(7));
        assert_ne!(Hotels::generate(7), Hotels::generate(8));
    }

    #[test]
    fn there_are_eighty_hotels_with_ids_names_phones_and_a_place_in_the_region() {
        let all = features(&Hotels::generate(1).nearest(37.9, -122.1, HOTELS));
        let mut ids: Vec<u32> = all
            .iter()
            .map(|feature| feature["id"].as_str().unwrap().parse().unwrap())
            .collect();
        ids.sort_unstable();
        assert_eq!(ids, (1..=80).collect::<Vec<u32>>());
        for feature in &all {
            assert!(feature["properties"]["name"].as_str().unwrap().len() > 5);
            let phone = feature["properties"]["phone_number"].as_str().unwrap();
            assert!(phone.starts_with("(415) 555-"), "{phone}");
            assert_eq!(feature["geometry"]["type"], "Point");
            let longitude = feature["geometry"]["coordinates"][0].as_f64().unwrap();
            let latitude = feature["geometry"]["coordinates"][1].as_f64().unwrap();
            assert!((-122.4..=-121.7).contains(&longitude), "{longitude}");
            assert!((37.7..=38.3).contains(&latitude), "{latitude}");
        }
    }

    #[test]
    fn the_hotel_at_the_door_is_the_nearest_one() {
        let hotels = Hotels::generate(1);
        for feature in features(&hotels.nearest(37.9, -122.1, HOTELS)) {
            let at = &feature["geometry"]["coordinates"];
            let (longitude, latitude) = (at[0].as_f64().unwrap(), at[1].as_f64().unwrap());
            let near = features(&hotels.nearest(latitude, longitude, 5));
            assert_eq!(near.len(), 5);
            assert_eq!(near[0]["id"], feature["id"]);
        }
    }

    #[test]
    fn asking_for_no_hotel_or_for_too_many_is_answered_with_what_there_is() {
        let hotels = Hotels::generate(1);
        assert_eq!(features(&hotels.nearest(37.9, -122.1, 0)).len(), 0);
        assert_eq!(features(&hotels.nearest(f64::NAN, 0.0, 500)).len(), HOTELS);
    }

    #[test]
    fn ratings_and_prices_order_the_recommendations() {
        let hotels = Hotels::generate(3);
        let of = |body: &Bytes| {
            let id = features(body)[0]["id"].as_str().unwrap().to_owned();
            hotels.hotels[id.parse::<usize>().unwrap() - 1].clone()
        };
        let best = of(&hotels.best_rated(5));
        let cheapest = of(&hotels.cheapest(5));
        assert!(
            hotels
                .hotels
                .iter()
                .all(|other| best.rating >= other.rating)
        );
        assert!(
            hotels
                .hotels
                .iter()
                .all(|other| cheapest.price <= other.price)
        );
    }

    #[test]
    fn only_the_ids_one_to_eighty_are_known() {
        let hotels = Hotels::generate(1);
        assert!(hotels.knows("1") && hotels.knows("80"));
        for id in ["", "0", "81", "-1", "+1", "01", "x", "1.0"] {
            assert!(!hotels.knows(id), "{id}");
        }
    }
}
