"""The web view: a SMART app of this server for people without their own. docs/web.md"""
