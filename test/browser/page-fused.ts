import 'tfjs-cross-entropy/webgl';
import 'tfjs-cross-entropy/webgpu';
import { api } from './page';

api.fused = true;
