//! Lists of the API server, page by page.

use super::calls::{CallError, Calls};
use kube::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Objects asked for at once: a thousand pods in one answer would be 8 MB.
const PAGE: usize = 500;

#[derive(Deserialize)]
struct Page<T> {
    #[serde(default)]
    metadata: PageMeta,
    items: Vec<T>,
}

#[derive(Deserialize, Default)]
struct PageMeta {
    #[serde(rename = "continue", default)]
    token: Option<String>,
}

/// Every object of a list, from as many pages as the server needs.
///
/// # Errors
/// [`CallError`] of the first page that fails.
pub async fn list_all<T: DeserializeOwned>(
    calls: &Calls,
    client: &Client,
    path: &str,
) -> Result<Vec<T>, CallError> {
    let mut items = Vec::new();
    let mut token = String::new();
    loop {
        let page = format!("{path}?limit={PAGE}{token}");
        let page: Page<T> = calls.get_json(client, &page).await?;
        items.extend(page.items);
        match page.metadata.token.filter(|token| !token.is_empty()) {
            Some(more) => {
                let more = percent_encoding::utf8_percent_encode(
                    &more,
                    percent_encoding::NON_ALPHANUMERIC,
                );
                token = format!("&continue={more}");
            }
            None => return Ok(items),
        }
    }
}
