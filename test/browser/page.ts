import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import '@tensorflow/tfjs-backend-webgpu';
import { api } from '../support/api';

setWasmPaths('/');
Object.assign(globalThis, { api });
