"""Which proxy a download goes through, as the environment or the system says. Knows addresses; connects to nothing."""

from __future__ import annotations

import urllib.request

import httpx2

from ..values.errors import BadRequest

SCHEMES = ("http", "https", "socks5", "socks5h")
"""The kinds of proxy that downloads can go through."""
WHERE = "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, or the system's settings"


def check_proxies() -> None:
    """Raise `BadRequest` for a proxy that could not be used, even for other addresses: the library refuses to work with one."""
    for scheme in ("http", "https", "all"):
        if given := urllib.request.getproxies().get(scheme):
            proxy = _parsed(given)
            if proxy is None or proxy.scheme not in SCHEMES:
                hint = f"It is from {WHERE}; it must begin with one of {', '.join(f'{known}://' for known in SCHEMES)}."
                raise BadRequest(f"the proxy {without_password(given)} cannot be used for downloads", hint)


def proxy_for(url: str) -> str | None:
    """The proxy that a request to the URL goes through, without its password; `None` when it goes straight there."""
    target, proxies = httpx2.URL(url), urllib.request.getproxies()
    given = proxies.get(target.scheme) or proxies.get("all")
    if not given or urllib.request.proxy_bypass(target.host):
        return None
    return without_password(given)


def without_password(proxy: str) -> str:
    """The address without the name and password that may stand in it."""
    before, _, after = proxy.rpartition("://")
    return f"{before or 'http'}://{after.rpartition('@')[2]}"


def _parsed(proxy: str) -> httpx2.URL | None:
    try:
        return httpx2.URL(proxy if "://" in proxy else f"http://{proxy}")
    except httpx2.InvalidURL:
        return None
