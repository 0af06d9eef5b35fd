// SPDX-License-Identifier: Apache-2.0
#include <blendr/crypto/strict.hpp>

// All but the first were computed from the curve's equations, not with a library: from one scalar for
// the key and one for the nonce, with points of small order added, the message varied until the hash
// made them cancel or not. "Good only times the cofactor" is what ZIP-215 accepts.

namespace blendr::crypto {
namespace {

// clang-format off
constexpr strict_vector vectors[] = {
    {"plain: RFC 8032, test 2",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
     true},
    {"plain key and nonce",
     "87d2900843f4641b487a99bf828292b7f2d3794097247a928eeb89a62096df4f",
     "706c61696e00",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "03add1806fa62ae32bf32a4d60112b8fba5055ba099985b4b27e865afda8d90f",
     true},
    {"plain, another message",
     "87d2900843f4641b487a99bf828292b7f2d3794097247a928eeb89a62096df4f",
     "706c61696e0021",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "03add1806fa62ae32bf32a4d60112b8fba5055ba099985b4b27e865afda8d90f",
     false},
    {"key with a part of order 2 that the hash cancels",
     "662d6ff7bc0b9be4b78566407d7d6d480d2c86bf68db856d71147659df6920b0",
     "6d6978413200",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "a2976ee349069b908b2cfbb8d10517f286dbddeba4243ccc8414735c4fdaa508",
     true},
    {"key with a part of order 2, good only times the cofactor",
     "662d6ff7bc0b9be4b78566407d7d6d480d2c86bf68db856d71147659df6920b0",
     "6d6978413201",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "faff01d48572cc29cf3c2d1bbe2212f7f393a27d43c440bb9168983c18932b06",
     false},
    {"key with a part of order 4 that the hash cancels",
     "235fd419d5ab5f45dc5ad5684dec45490dbcd9c8e40388955e5f4547905d7fc4",
     "6d6978413405",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "8503792069536b74beee3d6665bea2681deebec35dd22f84b9963eb5a6c8700f",
     true},
    {"key with a part of order 4, good only times the cofactor",
     "235fd419d5ab5f45dc5ad5684dec45490dbcd9c8e40388955e5f4547905d7fc4",
     "6d6978413400",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "621d0c93cee9951e6846c6b21531a0196e16f5819ec585247d68c98830c13902",
     false},
    {"key with a part of order 8 that the hash cancels",
     "20a66867afa5aca30f5b7d93333d04bdb0bd3da613a56c00f993e567adab3971",
     "6d6978413805",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "3c85b71b5c823ce4977cbc0b7799f8787083c8b183d73b2bd418b3eedd2c5b00",
     true},
    {"key with a part of order 8, good only times the cofactor",
     "20a66867afa5aca30f5b7d93333d04bdb0bd3da613a56c00f993e567adab3971",
     "6d6978413800",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "7951a4c15e1880f5072cef75cc37b09e81fb86965bc66253868735fc6f136003",
     false},
    {"key and nonce with parts of order 8 that cancel",
     "20a66867afa5aca30f5b7d93333d04bdb0bd3da613a56c00f993e567adab3971",
     "6d6978415204",
     "cb75849a5c3588a25624fd81eec3a0c0f08bf538c34b61f00be9e7fbc5865008"
     "c6b8207e5cb1edf7e4b535bcd068613d03b3309ac9c08e05bdaa11194a11ab0c",
     true},
    {"key and nonce with parts of order 2 that cancel",
     "662d6ff7bc0b9be4b78566407d7d6d480d2c86bf68db856d71147659df6920b0",
     "6d697841523200",
     "d245dfb3bf31abb87d5ca10ca7c48b4be0102fe4ead0f6a515a997dea7055386"
     "77fce555864d9de44f8fcb5ea29e37ae729b797bc497008892a22839c457a302",
     true},
    {"nonce with a part of order 8, good only times the cofactor",
     "87d2900843f4641b487a99bf828292b7f2d3794097247a928eeb89a62096df4f",
     "6d69785200",
     "2e9286135acfc0e5440fbecc9222324644aadbcdc1b14c01f674e840527aa43f"
     "8380d936adad7f3cda3af07973e3ae3229efff7dc65fd2f69b9b9ed60ec4810a",
     false},
    {"nonce with a part of order 2, good only times the cofactor",
     "87d2900843f4641b487a99bf828292b7f2d3794097247a928eeb89a62096df4f",
     "6d6978523200",
     "d245dfb3bf31abb87d5ca10ca7c48b4be0102fe4ead0f6a515a997dea7055386"
     "780ab6b649dcee708d8e545355252cc3b79161e51b9461518b513671a0f67c04",
     false},
    {"key of order 1 (0)",
     "0100000000000000000000000000000000000000000000000000000000000000",
     "736d616c6c4100",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"key of order 8 (1)",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
     "736d616c6c4107",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"key of order 4 (2)",
     "0000000000000000000000000000000000000000000000000000000000000080",
     "736d616c6c4103",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"key of order 8 (3)",
     "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
     "736d616c6c4107",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"key of order 2 (4)",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "736d616c6c4100",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"key of order 8 (5)",
     "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
     "736d616c6c4107",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"key of order 4 (6)",
     "0000000000000000000000000000000000000000000000000000000000000000",
     "736d616c6c4107",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"key of order 8 (7)",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "736d616c6c4100",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"nonce of order 1 (0)",
     "87d2900843f4641b487a99bf828292b7f2d3794097247a928eeb89a62096df4f",
     "736d616c6c5200",
     "0100000000000000000000000000000000000000000000000000000000000000"
     "b7041f72a437db547a2a6dbe1976f48c25db9e4bf18a1080d466a30c0e85bb06",
     false},
    {"nonce of order 8 (1)",
     "20a66867afa5aca30f5b7d93333d04bdb0bd3da613a56c00f993e567adab3971",
     "736d616c6c5209",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
     "7d81e69e0f9944895e1ef3aa556109a0a4e86c9c383cfb7a4ea10f35a1081d0f",
     false},
    {"nonce of order 4 (2)",
     "20a66867afa5aca30f5b7d93333d04bdb0bd3da613a56c00f993e567adab3971",
     "736d616c6c5201",
     "0000000000000000000000000000000000000000000000000000000000000080"
     "cee6e6b27248f96b6f0be14a889a422ec284560435aad8e912fed1b344c61b01",
     false},
    {"nonce of order 8 (3)",
     "20a66867afa5aca30f5b7d93333d04bdb0bd3da613a56c00f993e567adab3971",
     "736d616c6c5203",
     "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
     "663d3e5783b72f9f4c786babd7ffe67bcb7dd6ccaf7db6012e140efbb7eb8604",
     false},
    {"nonce of order 2 (4)",
     "20a66867afa5aca30f5b7d93333d04bdb0bd3da613a56c00f993e567adab3971",
     "736d616c6c5201",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "cd0d01050384b9f314344d1a893abd07453238f80593e16cf7e1c8be7c5eeb08",
     false},
    {"nonce of order 8 (5)",
     "20a66867afa5aca30f5b7d93333d04bdb0bd3da613a56c00f993e567adab3971",
     "736d616c6c5203",
     "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"
     "d90e98c8bb94c67673b0ed747b2c2dd62e57611c1eea4f579cd56498e5170204",
     false},
    {"nonce of order 4 (6)",
     "20a66867afa5aca30f5b7d93333d04bdb0bd3da613a56c00f993e567adab3971",
     "736d616c6c5213",
     "0000000000000000000000000000000000000000000000000000000000000000"
     "819a0b524fc4ab55f5a2997846203b27196e1d6bba79fa2e31504dcabcaf360b",
     false},
    {"nonce of order 8 (7)",
     "20a66867afa5aca30f5b7d93333d04bdb0bd3da613a56c00f993e567adab3971",
     "736d616c6c5203",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
     "46b6d253ca3618d9431b32bfbb90dbb1ffff18d9cc786ea0a96c7a3ba32fd00b",
     false},
    {"key and nonce of order 1, S zero: good for every message",
     "0100000000000000000000000000000000000000000000000000000000000000",
     "616e79",
     "0100000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000",
     false},
    {"S plus the group order",
     "87d2900843f4641b487a99bf828292b7f2d3794097247a928eeb89a62096df4f",
     "706c61696e00",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "f080c7dd89093d3b029022f03e0b0aa4ba5055ba099985b4b27e865afda8d91f",
     false},
    {"S plus as many group orders as fit",
     "87d2900843f4641b487a99bf828292b7f2d3794097247a928eeb89a62096df4f",
     "706c61696e00",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "e61739f3fa743e0cbb23add96bb53bc8bb5055ba099985b4b27e865afda8d9ff",
     false},
    {"key encoded as y = p + 1",
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "6e634100",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"nonce encoded as y = p + 1",
     "87d2900843f4641b487a99bf828292b7f2d3794097247a928eeb89a62096df4f",
     "6e635200",
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "ffd9644564e291aa139b65e992fafb295e8b51384ff259697ea9f22cd86e3a00",
     false},
    {"key encoded as y = p + 1, top bit",
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "6e634100",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"nonce encoded as y = p + 1, top bit",
     "87d2900843f4641b487a99bf828292b7f2d3794097247a928eeb89a62096df4f",
     "6e635200",
     "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "dfd0249686adfdfa820833cc744edea937292784b645348e0de9b8281e83d30f",
     false},
    {"key encoded as y = 1, top bit",
     "0100000000000000000000000000000000000000000000000000000000000080",
     "6e634100",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"nonce encoded as y = 1, top bit",
     "87d2900843f4641b487a99bf828292b7f2d3794097247a928eeb89a62096df4f",
     "6e635200",
     "0100000000000000000000000000000000000000000000000000000000000080"
     "2d35176441b58fc420c2a0ae76f4a5d6f934b4e619b4c6aef16e16c59ffcac07",
     false},
    {"key encoded as y = p - 1, top bit",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "6e634102",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"nonce encoded as y = p - 1, top bit",
     "20a66867afa5aca30f5b7d93333d04bdb0bd3da613a56c00f993e567adab3971",
     "6e63520c",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "fe010ee7edd5d94a954a50ea00f2a285832cbced1b1dec1d13a3031db19dce04",
     false},
    {"key encoded as y = p",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "6e634109",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"nonce encoded as y = p",
     "20a66867afa5aca30f5b7d93333d04bdb0bd3da613a56c00f993e567adab3971",
     "6e635203",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
     "4e853d3748f46c90f31f8fdf5fb17377947d0f8b6a17b42b4925361376c69403",
     false},
    {"key encoded as y = p, top bit",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "6e634103",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"nonce encoded as y = p, top bit",
     "20a66867afa5aca30f5b7d93333d04bdb0bd3da613a56c00f993e567adab3971",
     "6e635200",
     "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "48a8c51eb12ea4e24def5259d58de9688293ab63ec36aa37efdeaea87f8bde03",
     false},
    {"key encoded as y = p + 3, of large order",
     "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
     "78",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"key that is no point of the curve",
     "0200000000000000000000000000000000000000000000000000000000000000",
     "78",
     "1bba204c40ce544782a35ef3583b74b41fefd01b152f095aea56682158faac79"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
    {"nonce that is no point of the curve",
     "87d2900843f4641b487a99bf828292b7f2d3794097247a928eeb89a62096df4f",
     "78",
     "0200000000000000000000000000000000000000000000000000000000000000"
     "d378d2245975781b2e0d5585653a75585bddaad1dda8d76d1d8838316fa73a0c",
     false},
};
// clang-format on

}  // namespace

std::span<strict_vector const> strict_vectors() noexcept { return vectors; }

}  // namespace blendr::crypto
