// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AlreadyDone} from "./Errors.sol";

/// @title L, the public dictionary with history (paper §5.7)
/// @notice Every writer has its own names. Nothing is ever removed: a read can name a block or a time.
contract Dictionary {
    struct Entry {
        uint48 blockNumber;
        uint48 timestamp;
        bytes value;
    }

    uint256 public constant MAX_VALUE_BYTES = 4096;

    mapping(address writer => mapping(bytes32 key => Entry[])) private _history;

    event ValueSet(address indexed writer, bytes32 indexed key, bytes value);

    error ValueTooLong(uint256 length);
    error FutureLookup();

    /// @notice L[key] <- value in the sender's name space.
    function set(bytes32 key, bytes calldata value) external {
        if (value.length > MAX_VALUE_BYTES) revert ValueTooLong(value.length);
        Entry[] storage entries = _history[msg.sender][key];
        uint256 length = entries.length;
        if (length != 0) {
            Entry storage last = entries[length - 1];
            if (keccak256(last.value) == keccak256(value)) revert AlreadyDone();
            if (last.blockNumber == block.number) {
                last.value = value;
                emit ValueSet(msg.sender, key, value);
                return;
            }
        }
        entries.push(Entry(uint48(block.number), uint48(block.timestamp), value));
        emit ValueSet(msg.sender, key, value);
    }

    /// @notice The newest value, empty if there is none.
    function get(address writer, bytes32 key) external view returns (bytes memory) {
        Entry[] storage entries = _history[writer][key];
        return entries.length == 0 ? bytes("") : entries[entries.length - 1].value;
    }

    /// @notice The value at the end of a past block.
    function getAtBlock(address writer, bytes32 key, uint256 blockNumber) external view returns (bytes memory) {
        if (blockNumber > block.number) revert FutureLookup();
        Entry[] storage entries = _history[writer][key];
        uint256 low = 0;
        uint256 high = entries.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (entries[middle].blockNumber <= blockNumber) low = middle + 1;
            else high = middle;
        }
        return low == 0 ? bytes("") : entries[low - 1].value;
    }

    /// @notice The value at a past time, in seconds since the Unix epoch.
    function getAtTime(address writer, bytes32 key, uint256 timestamp) external view returns (bytes memory) {
        if (timestamp > block.timestamp) revert FutureLookup();
        Entry[] storage entries = _history[writer][key];
        uint256 low = 0;
        uint256 high = entries.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (entries[middle].timestamp <= timestamp) low = middle + 1;
            else high = middle;
        }
        return low == 0 ? bytes("") : entries[low - 1].value;
    }
}
