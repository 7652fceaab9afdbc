panel_urls: list = []
