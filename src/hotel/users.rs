//! The users of the database that HotelReservation fills itself with.

/// Whether name and password belong together: `Cornell_<id>`, id 0 ..= 500 without leading zeros,
/// and the id's digits ten times.
pub(super) fn is_user(name: &str, password: &str) -> bool {
    let Some(id) = name.strip_prefix("Cornell_") else {
        return false;
    };
    let is_known = id
        .parse()
        .is_ok_and(|number: u32| number <= 500 && number.to_string() == id);
    is_known && password == id.repeat(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_digits_of_the_id_ten_times() {
        assert!(is_user("Cornell_0", "0000000000"));
        assert!(is_user("Cornell_42", "42424242424242424242"));
        assert!(is_user("Cornell_500", &"500".repeat(10)));
    }

    #[test]
    fn others_are_strangers() {
        for (name, password) in [
            ("Cornell_42", "42"),
            ("Cornell_501", "501501501501501501501501501501"),
            ("Cornell_042", "042042042042042042042042042042"),
            ("Cornell_x", "xxxxxxxxxx"),
            ("Cornell_", ""),
            ("Yale_1", "1111111111"),
        ] {
            assert!(!is_user(name, password), "{name}");
        }
    }
}
