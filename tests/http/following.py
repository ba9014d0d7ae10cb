"""A client that follows along a history as docs/interactions/history.md says."""

import asyncio

import httpx

from tests.http.conftest import links


class Follower:
    """`seen` holds Type/id@version of every entry it was ever shown."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self._url = url
        self._since = "2020-01-01T00:00:00Z"
        self.seen: set[str] = set()

    async def catch_up(self) -> None:
        """Ask for what is new, to the last page; the first page says from where to ask next."""
        page = await self._client.get(self._url, params={"_since": self._since, "_count": 5})
        since = page.json()["meta"]["lastUpdated"]
        while True:
            for entry in page.json().get("entry", []):
                place = entry["fullUrl"].split("/fhir/")[1]
                self.seen.add(f"{place}@{entry['response']['etag'][3:-1]}")
            if "next" not in links(page):
                break
            page = await self._client.get(links(page)["next"])
        self._since = since

    async def reach(self, instant: str) -> None:
        """Catch up until the history itself says that it reaches this instant."""
        while self._since < instant:
            await asyncio.sleep(0.001)
            await self.catch_up()
