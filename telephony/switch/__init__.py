"""What a switch asks us over HTTP (mod_xml_curl): who signs in, how a call that comes in is met, which trunks there are."""
