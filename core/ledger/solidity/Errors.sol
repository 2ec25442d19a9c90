// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @notice The call's effect already stands: a repeated transaction may count this as success.
error AlreadyDone();
/// @notice Two lists that belong together differ in length, or a list is empty or too long.
error InvalidLength();
/// @notice A list that must be strictly ascending is not.
error NotAscending();
/// @notice A signature is not the one that was asked for.
error InvalidSignature(address expected);
/// @notice `account` may not do this.
error NotAuthorised(address account);
