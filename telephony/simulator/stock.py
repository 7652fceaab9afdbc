"""The channel variables a FreeSWITCH 1.10.12 sets at each stage of an outbound SIP call, as recorded.

Names and values come from the trace originate-answered-remote-hangup; `{uuid}`, `{gateway}`, `{number}`, `{caller}` and
`{caller_name}` stand for the call's own.
"""

CREATED = {
    "direction": "outbound",
    "is_outbound": "true",
    "uuid": "{uuid}",
    "call_uuid": "{uuid}",
    "sip_gateway_name": "{gateway}",
    "sip_local_network_addr": "127.0.0.1",
    "sip_profile_name": "gateway",
    "video_media_flow": "disabled",
    "text_media_flow": "disabled",
    "channel_name": "sofia/external/{number}",
    "sip_destination_url": "sip:{number}@127.0.0.1:5090",
    "originate_early_media": "false",
    "originate_endpoint": "sofia",
    "rtp_use_codec_string": "PCMU,PCMA",
    "local_media_ip": "127.0.0.1",
    "local_media_port": "17520",
    "advertised_media_ip": "127.0.0.1",
    "audio_media_flow": "sendrecv",
    "rtp_local_sdp_str": (
        "v=0\r\n"
        "o=FreeSWITCH 1795413940 1795413941 IN IP4 127.0.0.1\r\n"
        "s=FreeSWITCH\r\n"
        "c=IN IP4 127.0.0.1\r\n"
        "t=0 0\r\n"
        "m=audio 17520 RTP/AVP 0 8 101 13\r\n"
        "a=rtpmap:0 PCMU/8000\r\n"
        "a=rtpmap:8 PCMA/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\n"
        "a=fmtp:101 0-15\r\n"
        "a=rtpmap:13 CN/8000\r\n"
        "a=ptime:20\r\n"
        "a=sendrecv\r\n"
    ),
    "sip_outgoing_contact_uri": "<sip:gw+{gateway}@127.0.0.1:5080;transport=udp;gw={gateway}>",
    "sip_req_uri": "{number}@127.0.0.1:5090",
    "sip_to_host": "127.0.0.1:5090",
    "sip_from_host": "127.0.0.1",
    "sofia_profile_name": "external",
    "recovery_profile_name": "external",
    "sofia_profile_url": "sip:mod_sofia@127.0.0.1:5080",
}

PROGRESSED = {
    "sip_reply_host": "127.0.0.1",
    "sip_reply_port": "5090",
    "sip_network_ip": "127.0.0.1",
    "sip_network_port": "5090",
    "sip_recover_contact": "<sip:127.0.0.1:5090;transport=UDP>",
    "sip_full_via": "SIP/2.0/UDP 127.0.0.1:5080;rport;branch=z9hG4bKXaHQXKp3ZXKZD",
    "sip_recover_via": "SIP/2.0/UDP 127.0.0.1:5080;rport;branch=z9hG4bKXaHQXKp3ZXKZD",
    "sip_from_display": "{caller_name}",
    "sip_full_from": '"{caller_name}" <sip:{caller}@127.0.0.1>;tag=ry7p4N3gvUgKS',
    "sip_full_to": "<sip:{number}@127.0.0.1:5090>;tag=14177SIPp13",
    "sip_from_user": "{caller}",
    "sip_from_uri": "{caller}@127.0.0.1",
    "sip_to_user": "{number}",
    "sip_to_port": "5090",
    "sip_to_uri": "{number}@127.0.0.1:5090",
    "sip_contact_params": "transport=UDP",
    "sip_contact_user": "nobody",
    "sip_contact_port": "5090",
    "sip_contact_uri": "nobody@127.0.0.1:5090",
    "sip_contact_host": "127.0.0.1",
    "sip_to_tag": "14177SIPp13",
    "sip_from_tag": "ry7p4N3gvUgKS",
    "sip_cseq": "123161938",
    "sip_call_id": "8b4ad309-61cf-1240-afb8-09e6aa7d9cd7",
}

ANSWERED = {
    "sip_allow": "INVITE, ACK, BYE, CANCEL, OPTIONS",
    "switch_r_sdp": (
        "v=0\r\n"
        "o=carrier 53655765 2353687637 IN IP4 127.0.0.1\r\n"
        "s=-\r\n"
        "c=IN IP4 127.0.0.1\r\n"
        "t=0 0\r\n"
        "m=audio 21000 RTP/AVP 0 101\r\n"
        "a=rtpmap:0 PCMU/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\n"
        "a=fmtp:101 0-16\r\n"
        "a=ptime:20\r\n"
    ),
    "ep_codec_string": "CORE_PCM_MODULE.PCMU@8000h@20i@64000b",
    "remote_video_media_flow": "inactive",
    "remote_text_media_flow": "inactive",
    "remote_audio_media_flow": "sendrecv",
    "rtp_audio_recv_pt": "0",
    "rtp_use_codec_name": "PCMU",
    "rtp_use_codec_rate": "8000",
    "rtp_use_codec_ptime": "20",
    "rtp_use_codec_channels": "1",
    "rtp_last_audio_codec_string": "PCMU@8000h@20i@1c",
    "read_codec": "PCMU",
    "original_read_codec": "PCMU",
    "read_rate": "8000",
    "original_read_rate": "8000",
    "write_codec": "PCMU",
    "write_rate": "8000",
    "dtmf_type": "rfc2833",
    "rtp_use_timer_name": "soft",
    "rtp_use_pt": "0",
    "rtp_use_ssrc": "3070607420",
    "rtp_2833_send_payload": "101",
    "rtp_2833_recv_payload": "101",
    "remote_media_ip": "127.0.0.1",
    "remote_media_port": "21000",
}

EXECUTED = {
    "endpoint_disposition": "ANSWER",
    "pre_transfer_caller_id_name": "{caller_name}",
    "pre_transfer_caller_id_number": "{caller}",
    "channel_cid_flipped": "yes",
    "current_application": "park",
}

MEDIA_REPORT = {
    "rtp_audio_in_raw_bytes": "0",
    "rtp_audio_in_media_bytes": "0",
    "rtp_audio_in_packet_count": "0",
    "rtp_audio_in_media_packet_count": "0",
    "rtp_audio_in_skip_packet_count": "151",
    "rtp_audio_in_jitter_packet_count": "0",
    "rtp_audio_in_dtmf_packet_count": "0",
    "rtp_audio_in_cng_packet_count": "0",
    "rtp_audio_in_flush_packet_count": "0",
    "rtp_audio_in_largest_jb_size": "0",
    "rtp_audio_in_jitter_min_variance": "0.00",
    "rtp_audio_in_jitter_max_variance": "0.00",
    "rtp_audio_in_jitter_loss_rate": "0.00",
    "rtp_audio_in_jitter_burst_rate": "0.00",
    "rtp_audio_in_mean_interval": "0.00",
    "rtp_audio_in_flaw_total": "0",
    "rtp_audio_in_quality_percentage": "100.00",
    "rtp_audio_in_mos": "4.50",
    "rtp_audio_out_raw_bytes": "0",
    "rtp_audio_out_media_bytes": "0",
    "rtp_audio_out_packet_count": "0",
    "rtp_audio_out_media_packet_count": "0",
    "rtp_audio_out_skip_packet_count": "0",
    "rtp_audio_out_dtmf_packet_count": "0",
    "rtp_audio_out_cng_packet_count": "0",
    "rtp_audio_rtcp_packet_count": "0",
    "rtp_audio_rtcp_octet_count": "0",
}
