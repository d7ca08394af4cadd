"""TLB201: does every architecture, in every configuration, define the hooks that its code uses?"""
